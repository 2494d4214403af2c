"""Callers of the gRPC port who notice what became of every call: nothing is sent twice, nothing smoothed over."""

import asyncio
import random
from collections.abc import Mapping

import grpc
from callers import ANSWER_SECONDS, MOST_REQUESTS, Diary
from grpc_doors import INFER, ask_raw_contents, read_labels

OPTIONS = (("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1))
"""A connection of its own for each channel, and no second try where a call has reached the wire."""
NO_CONNECTION = "failed to connect to all addresses"
"""gRPC's words for a call that never left: there was nobody to connect to."""


class GrpcCaller:
    """One client, one channel at a time.

    Args:
        address: of the gRPC port.
        images: by label; it asks for one after the other, in an order that the seed decides.
        keep_channel: whether it asks again on the same channel.
        at_once: how many calls it has under way on a channel.
        longest_pause_seconds: how long it thinks at most before it asks again.
    """

    def __init__(
        self,
        address: str,
        diary: Diary,
        images: Mapping[str, bytes],
        seed: int,
        *,
        keep_channel: bool,
        longest_pause_seconds: float,
        at_once: int = 1,
    ) -> None:
        self._address = address
        self._diary = diary
        self._questions = [(label, ask_raw_contents(image).SerializeToString()) for label, image in images.items()]
        self._random = random.Random(seed)
        self._keep_channel = keep_channel
        self._longest_pause_seconds = longest_pause_seconds
        self._at_once = at_once
        self._who = f"keep_channel={keep_channel}, at_once={at_once}, pause up to {longest_pause_seconds} s"

    async def ask_until_refused(self) -> None:
        """Ask until no connection is to be had any more."""
        channel = self._open()
        try:
            for _ in range(MOST_REQUESTS):
                asked = (self._ask(channel, *self._random.choice(self._questions)) for _ in range(self._at_once))
                if not all(await asyncio.gather(*asked)):
                    return
                if not self._keep_channel:
                    await channel.close()
                    channel = self._open()
                await asyncio.sleep(self._random.uniform(0, self._longest_pause_seconds))
            self._diary.offend(f"still served after {MOST_REQUESTS} calls")
        finally:
            await channel.close()

    def _open(self) -> grpc.aio.Channel:
        return grpc.aio.insecure_channel(self._address, options=OPTIONS)

    async def _ask(self, channel: grpc.aio.Channel, label: str, request: bytes) -> bool:
        """Ask once; tell whether it is worth going on."""
        try:
            answer = await channel.unary_unary(INFER)(request, timeout=ANSWER_SECONDS)
        except grpc.aio.AioRpcError as error:
            return self._file(error)
        if read_labels(answer) == [label]:
            self._diary.note("right over gRPC")
        else:
            self._diary.offend(f"{answer!r} for {label}")
        return True

    def _file(self, error: grpc.aio.AioRpcError) -> bool:
        details = error.details() or ""
        unavailable = error.code() is grpc.StatusCode.UNAVAILABLE and self._diary.delay_is_over()
        if (
            unavailable
            and "stopping and accepts nothing more" in details
            and "retry-after" in error.trailing_metadata()
        ):
            self._diary.note("refused over gRPC")
            return True
        if unavailable and details.startswith(NO_CONNECTION):
            return False
        self._diary.offend(f"{error.code().name} {details!r} to {self._who}")
        return self._diary.signalled_at is None
