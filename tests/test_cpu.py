"""What the kernel's list of the CPU is read as."""

import pytest

from medserver import cpu

AMD = "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2 avx512_bf16\n\nprocessor\t: 1\nflags\t\t: none\n"
INTEL = "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu avx2 avx512f\n"
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd bf16\nCPU implementer\t: 0x41\n"


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """`listed(text)`: this is what the kernel lists."""
    known = (cpu.multiplies_bfloat16, cpu.is_intel, cpu._fields)

    def write(text: str | None) -> None:
        file = tmp_path / "cpuinfo"
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        monkeypatch.setattr(cpu, "_LISTED", file)
        for one in known:
            one.cache_clear()

    yield write
    monkeypatch.undo()
    for one in known:
        one.cache_clear()


@pytest.mark.parametrize(
    ("text", "bfloat16", "intel"),
    [(AMD, True, False), (INTEL, False, True), (ARM, True, None), ("", False, None), (None, False, None)],
    ids=["AMD", "Intel", "ARM", "empty", "not there"],
)
def test_maker_and_instructions_are_read(listed, text, bfloat16, intel):
    listed(text)
    assert cpu.multiplies_bfloat16() is bfloat16 and cpu.is_intel() is intel
