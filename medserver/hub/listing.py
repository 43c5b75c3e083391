"""What the Hub has of a repository at a revision: the commit, and the files this server needs with their hashes."""

from dataclasses import dataclass, field
from functools import cached_property

from medserver.hub.failures import Asked, HubFailure
from medserver.hub.record import File, safe

# Weights come as safetensors only: a pickle runs code when it is opened.
WANTED = ["*.json", "*.jinja", "*.safetensors", "tokenizer.model"]
_SECONDS = 30.0


@dataclass(frozen=True)
class Source:
    """A repository on the Hub, and the token to ask with; without one, the token of `hf auth login` if there is."""

    repo: str
    revision: str = "main"
    token: str | None = field(default=None, repr=False)

    @cached_property
    def asked(self) -> Asked:
        from huggingface_hub import constants, get_token

        return Asked(self.repo, self.revision, constants.ENDPOINT, bool(self.token or get_token()))

    def headers(self) -> dict[str, str]:
        from huggingface_hub.utils import build_hf_headers

        # Ranges count the bytes of the file, so it must not come compressed.
        return {**build_hf_headers(token=self.token), "Accept-Encoding": "identity"}

    def address(self, path: str, commit: str) -> str:
        from huggingface_hub import hf_hub_url

        return hf_hub_url(self.repo, path, revision=commit)


@dataclass(frozen=True, slots=True)
class Listing:
    """A commit and its files, the smallest first: a refusal then comes before anything large."""

    commit: str
    files: tuple[File, ...]


def listing_of(source: Source) -> Listing:
    """Ask the Hub.

    Raises:
        HubFailure: what it holds is no checkpoint, or something else answered in its place.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.utils import filter_repo_objects

    api = HfApi(token=source.token)
    try:
        said = api.model_info(source.repo, revision=source.revision, files_metadata=True, timeout=_SECONDS)
        siblings = filter_repo_objects(said.siblings, allow_patterns=WANTED, key=lambda one: one.rfilename)
        files = sorted((_file(one) for one in siblings), key=lambda file: (file.size, file.path))
        commit = str(said.sha)
    except (OSError, UnicodeEncodeError):  # the library's own errors, which say more, and a token no header can hold
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HubFailure(
            "proxy",
            f"What answers at {source.asked.endpoint} is not the Hub: perhaps the page of a proxy that wants a "
            "login. Open it in a browser, and look at HTTPS_PROXY and HF_ENDPOINT.",
        ) from None
    if not any(file.path.endswith(".safetensors") for file in files):
        raise HubFailure("not_found", f"{source.asked.page} holds no weights (*.safetensors).")
    return Listing(commit, tuple(files))


def _file(sibling) -> File:
    path = safe(sibling.rfilename)
    if sibling.lfs:
        return File(path, sibling.lfs.size, f"sha256:{sibling.lfs.sha256}", sibling.lfs.sha256)
    return File(path, int(sibling.size), f"git-sha1:{sibling.blob_id}")
