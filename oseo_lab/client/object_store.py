"""Results in object stores: an ``s3:`` address becomes an HTTPS one that is signed for half a day.

What opens and fetches files then needs to know nothing of buckets: ranges, threads, workers without keys.
Keys, region and endpoint are where AWS's own tools look for them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from oseo_lab.client.describing import needed
from oseo_lab.model.errors import DeliveryError

__all__ = ["S3", "reachable", "store"]

S3 = "s3://"
#: Seconds that a signed address holds: as long as a notebook is worked in.
HOLDS = 43_200


@cache
def store(anonymous: bool = False) -> Any:
    """Return the S3 file system.

    Raises
    ------
    ConfigurationError
        If s3fs is not installed.
    """
    return needed("s3fs", "a result in an object store", "s3").S3FileSystem(anon=anonymous)


def reachable(url: str) -> str:
    """Return where a file is reached by HTTP; what is not in an object store as it is.

    Without any keys the bucket is taken for a public one.

    Raises
    ------
    ConfigurationError
        If s3fs is not installed.
    DeliveryError
        If the address cannot be signed.
    """
    if not url.startswith(S3):
        return url
    wrongs = needed("botocore.exceptions", "a result in an object store", "s3")
    try:
        try:
            return str(store().sign(url, expiration=HOLDS))
        except wrongs.NoCredentialsError:
            return str(store(anonymous=True).sign(url, expiration=HOLDS))
    except (wrongs.BotoCoreError, OSError, ValueError) as wrong:
        raise DeliveryError(f"{url} cannot be reached: {wrong}") from None
