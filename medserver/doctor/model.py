"""The model: token, access to it on the Hub, weights on this machine, and which engine would run it and why."""

import os
from pathlib import Path

from medserver.doctor.finding import Circumstances, Finding
from medserver.engine.select import select
from medserver.hub import places, record
from medserver.hub.failures import HubFailure, explain
from medserver.hub.listing import Source

SECONDS = 3.0


def token(at: Circumstances) -> Finding:
    """Whether there is one and who can read it; never which."""
    from huggingface_hub import get_token

    dotenv = at.directory / ".env"
    if os.name == "posix" and dotenv.is_file() and dotenv.stat().st_mode & 0o077:
        advice = "Other users of this machine can read it and the secrets in it: chmod 600 .env"
        return Finding("token", "warn", f".env has mode {dotenv.stat().st_mode & 0o777:o}", advice)
    if at.settings.hf_token:
        return Finding("token", "ok", "A Hub token is set")
    if get_token():
        return Finding("token", "ok", "The token of `hf auth login` is used")
    if why := at.without_hub:
        return Finding("token", "skip", f"None is set, and none is needed: {why}")
    return Finding("token", "warn", "No Hub token", "MedGemma is gated: put a token into .env as HF_TOKEN=...")


def access(at: Circumstances) -> Finding:
    """Whether the Hub would give the weights to this token: one question about one small file."""
    if why := at.without_hub or at.offline:
        return Finding("access", "skip", why)
    from huggingface_hub import get_session
    from huggingface_hub.utils import hf_raise_for_status

    source = Source(at.serving.source, token=at.settings.hf_token)
    address = source.address("config.json", source.revision)
    try:
        answer = get_session().head(address, headers=source.headers(), timeout=SECONDS, follow_redirects=False)
        hf_raise_for_status(answer)
    except Exception as error:
        failure = explain(error, source.asked)
        return Finding("access", "fail", f"{source.repo} cannot be fetched [{failure.code}]", str(failure))
    return Finding("access", "ok", f"{source.repo} may be fetched")


def weights(at: Circumstances) -> Finding:
    if at.unusable:
        return Finding("weights", "fail", at.unusable, "Name a folder that holds a Gemma 3 checkpoint.")
    if at.settings.upstream:
        return Finding("weights", "skip", "they are where the upstream is")
    if at.serving is None:
        return Finding("weights", "skip", "no model was named (-m)")
    if at.serving.variant.demo and not at.settings.model_path:
        return Finding("weights", "ok", "The demo's are inside the package")
    folder = _folder(at)
    if folder is None:
        key, size = at.serving.variant.key, at.serving.variant.weights_gb
        state = "fail" if at.offline else "warn"
        advice = f"The first start fetches {size:.0f} GB, if the Hub allows: medserver download -m {key} does it now."
        return Finding("weights", state, "Not on this machine", advice)
    return _recorded(folder)


def _recorded(folder: Path) -> Finding:
    """By names and sizes: reading all of it would take minutes, and `medserver verify` does it."""
    try:
        written = record.read(folder)
    except HubFailure:
        advice = "medserver download records what it fetched, and medserver verify checks it."
        return Finding("weights", "warn", "On this machine, but nothing says whether they are whole", advice)
    wrong = record.torn(folder, written)
    if wrong:
        named = f"{wrong[0]} and {len(wrong) - 1} more" if len(wrong) > 1 else wrong[0]
        advice = "Run medserver download again: it mends what is missing or changed."
        return Finding("weights", "fail", f"Not whole: {named}", advice)
    said = f"{written.repo} at {written.commit[:12]}, whole; last checked {written.verified}"
    return Finding("weights", "ok", said)


def engine(at: Circumstances) -> Finding:
    """The choice itself, as a start would make it."""
    if at.settings.upstream:
        return Finding("engine", "ok", "None is started here: the upstreams would answer")
    if at.serving is None:
        return Finding("engine", "skip", "no usable model was named (-m)")
    selection = select(at.settings, at.serving, at.hardware)
    if not selection.candidates:
        return Finding("engine", "fail", f"Nothing can run {at.serving.variant.name} here", selection.refusal())
    first, *then = selection.candidates
    said = f"{first.name} would run {at.serving.variant.name}. {first.why}"
    said += "".join(f" Should it fail, {one.name} takes over." for one in then)
    passed_over = " ".join(f"Not {one.name}: {one.why}" for one in selection.passed_over)
    return Finding("engine", "ok", said, passed_over)


def _folder(at: Circumstances) -> Path | None:
    return Path(at.serving.source) if at.serving.here else places.cached(at.serving.source)
