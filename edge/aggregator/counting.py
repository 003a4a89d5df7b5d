"""What one frame says of one channel becomes spans: totals bridge gaps, deltas place counts, events are single.

In come the count readings of a frame and the channel's state; out comes the state with all passages accounted for.
Totals win over deltas; a delta beside a total only checks it and says where in time its passages were.
"""

from msgspec import Struct, structs

from edge.aggregator.flows import ChannelState, LastTotal, Span, add
from edge.aggregator.totals import StepBack, step
from edge.messages import Flag, TimeSource
from edge.readings import Delta, Event, Total

GAP_FACTOR = 1.5
"""A report that comes later than so many periods after the last one means that reports are missing."""
LONGEST_GAP_S = 400 * 86_400
"""A total after a longer silence than this says nothing about when its passages were: it is a new beginning."""
GAPS_REMEMBERED = 64


class Moment(Struct, frozen=True):
    """When a frame was, and how it stands to those before."""

    at_s: int
    """UTC, whole seconds."""
    source: TimeSource
    period_s: int
    """The device's expected reporting period."""
    seconds: int
    """Length of the intervals to fill."""
    in_order: bool = True
    restarted: bool = False
    """The device said since its last total that it restarted."""
    flags: tuple[Flag, ...] = ()

    @property
    def gap_s(self) -> float:
        """The silence after which reports are missing, in seconds."""
        return GAP_FACTOR * self.period_s


def take_total(state: ChannelState, total: Total, delta: Delta | None, moment: Moment) -> ChannelState:
    """The state after a cumulative count, with the delta of the same frame where there is one.

    A total that the device dated itself (history) and that is not newer than the last one says nothing new.
    """
    last = state.total
    total = _completed(total, last)
    if total.at is not None:
        moment = structs.replace(moment, at_s=int(total.at.timestamp()), source=TimeSource.DEVICE)
    if not moment.in_order or (total.at is not None and last is not None and moment.at_s <= last.at_s):
        return state
    if last is None or moment.at_s - last.at_s > LONGEST_GAP_S:
        return _begin(state, total, delta, moment, ())
    elapsed = moment.at_s - last.at_s
    steps = _steps(last, total, elapsed)
    if steps is StepBack.RESET:
        return _begin(state, total, delta or _since_restart(total, moment), moment, (Flag.RESET,))
    for span in _place(last, steps, delta, moment):
        state = add(state, span, moment.seconds)
    return _counted(state, total, moment)


def take_delta(state: ChannelState, delta: Delta, moment: Moment) -> ChannelState:
    """The state after a count over the period just ended, from a device or frame without total."""
    if state.total is not None or delta.running:
        return state
    end = moment.at_s if delta.at is None else int(delta.at.timestamp())
    start = end - (delta.period_s or moment.period_s)
    measured = state.measured_until_s
    if measured is not None and end <= measured:
        undated = moment.in_order and delta.at is None
        return _set_back(state, delta, end, moment) if undated else _fill_gap(state, delta, start, end, moment)
    gaps = state.gaps
    flags = moment.flags
    if measured is not None and start - measured > (GAP_FACTOR - 1) * moment.period_s:
        gaps = (*gaps[-(GAPS_REMEMBERED - 1) :], (measured, start))
        flags = (*flags, Flag.LOST)
    elif measured is not None:
        start = measured
    state = add(state, _span(delta, start, end, moment, flags), moment.seconds)
    return structs.replace(state, measured_until_s=end, gaps=gaps)


def take_event(state: ChannelState, event: Event, moment: Moment, *, one_way: bool) -> ChannelState:
    """The state after one passage; of a `one_way` device the other direction stays unknown."""
    at = moment.at_s if event.at is None else int(event.at.timestamp())
    is_in = event.direction == "in"
    span = Span(at, at, int(is_in), None if one_way else int(not is_in), moment.source, moment.flags)
    return add(state, span, moment.seconds)


def watched(state: ChannelState, moment: Moment, *, one_way: bool) -> ChannelState:
    """The state after a sign of life of a device that reports every single passage: the time since was measured."""
    since = state.measured_until_s
    if since is not None and moment.at_s <= since:
        return structs.replace(state, measured_until_s=moment.at_s) if moment.in_order else state
    start = moment.at_s if since is None or moment.at_s - since > moment.gap_s else since
    span = Span(start, moment.at_s, 0, None if one_way else 0, moment.source, moment.flags)
    return structs.replace(add(state, span, moment.seconds), measured_until_s=moment.at_s)


def _completed(total: Total, last: LastTotal | None) -> Total:
    """A frame that tells one direction alone leaves the other as it was: its passages come with its next total."""
    if last is None:
        return total
    in_ = last.in_ if total.in_ is None else total.in_
    out = last.out if total.out is None else total.out
    return structs.replace(total, in_=in_, out=out)


def _step(old: int | None, new: int | None, bits: int, elapsed_s: int) -> int | StepBack:
    """The step of one direction; none where it is told for the first time, or not at all."""
    return 0 if old is None or new is None else step(old, new, bits, elapsed_s)


def _steps(last: LastTotal, total: Total, elapsed_s: int) -> tuple[int, int | None] | StepBack:
    step_in = _step(last.in_, total.in_, total.bits, elapsed_s)
    step_out = _step(last.out, total.out, total.bits, elapsed_s)
    if isinstance(step_in, StepBack) or isinstance(step_out, StepBack):
        return StepBack.RESET
    return step_in, None if total.out is None else step_out


def _place(last: LastTotal, steps: tuple[int, int | None], delta: Delta | None, moment: Moment) -> list[Span]:
    """The passages since the last total: all over the time between, or the delta's part in its own period."""
    step_in, step_out = steps
    flags = (*moment.flags, Flag.CLOCK) if moment.at_s < last.at_s else moment.flags
    whole = Span(min(last.at_s, moment.at_s), moment.at_s, step_in, step_out, moment.source, flags)
    bridged = moment.at_s - last.at_s > moment.gap_s
    if not bridged:
        return [whole if _agrees(steps, delta) else _flagged(whole, Flag.DISAGREES)]
    if delta is None:
        return [_flagged(whole, Flag.SPREAD)]
    latest_start = max(moment.at_s - (delta.period_s or moment.period_s), last.at_s)
    latest = _span(delta, latest_start, moment.at_s, moment, moment.flags)
    earlier_in, earlier_out = step_in - latest.in_, _minus(step_out, latest.out)
    if earlier_in < 0 or (earlier_out or 0) < 0:
        return [_flagged(_flagged(whole, Flag.SPREAD), Flag.DISAGREES)]
    earlier = Span(last.at_s, latest.start_s, earlier_in, earlier_out, moment.source, moment.flags)
    return [_flagged(earlier, Flag.SPREAD), latest]


def _begin(
    state: ChannelState, total: Total, delta: Delta | None, moment: Moment, flags: tuple[Flag, ...]
) -> ChannelState:
    """A first total, or the first after a reset: what came before it is unknown, what the delta says is counted."""
    if delta is not None or flags:
        period = (delta and delta.period_s) or moment.period_s
        start = max(moment.at_s - period, state.measured_until_s or 0)
        counted = delta or Delta(channel=total.channel, in_=0, out=None if total.out is None else 0)
        span = _span(counted, min(start, moment.at_s), moment.at_s, moment, (*moment.flags, *flags))
        state = add(state, structs.replace(span, covers=delta is not None), moment.seconds)
    return _counted(state, total, moment)


def _since_restart(total: Total, moment: Moment) -> Delta | None:
    """After a restart that the device announced its counter began at 0: all it shows was counted since."""
    if not moment.restarted:
        return None
    return Delta(channel=total.channel, mode=total.mode, in_=total.in_ or 0, out=total.out)


def _counted(state: ChannelState, total: Total, moment: Moment) -> ChannelState:
    return structs.replace(
        state,
        total=LastTotal(total.in_, total.out, moment.at_s),
        measured_until_s=moment.at_s,
    )


def _set_back(state: ChannelState, delta: Delta, end: int, moment: Moment) -> ChannelState:
    """What a sensor tells next is new, however early it is dated: the clock was set back, or several share a second."""
    span = Span(end, end, delta.in_, delta.out, moment.source, moment.flags)
    if state.measured_until_s != end:
        span = _flagged(span, Flag.CLOCK)
    return structs.replace(add(state, span, moment.seconds), measured_until_s=end)


def _fill_gap(state: ChannelState, delta: Delta, start: int, end: int, moment: Moment) -> ChannelState:
    """A history frame fills a gap that it lies in, otherwise it was counted before.

    A frame that was overtaken on its way was never counted: it is, in the gap that it left, or beside one.
    """
    overtaken = not moment.in_order and delta.at is None
    for index, (gap_start, gap_end) in enumerate(state.gaps):
        inside = gap_start < end <= gap_end
        if inside or (overtaken and start < gap_end and gap_start < end):
            first, last = max(start, gap_start), min(end, gap_end)
            rest = tuple(piece for piece in ((gap_start, first), (last, gap_end)) if piece[0] < piece[1])
            state = structs.replace(state, gaps=(*state.gaps[:index], *rest, *state.gaps[index + 1 :]))
            return add(state, _span(delta, first, last, moment, moment.flags), moment.seconds)
    if not overtaken:
        return state
    return add(state, structs.replace(_span(delta, start, end, moment, moment.flags), covers=False), moment.seconds)


def _span(delta: Delta, start: int, end: int, moment: Moment, flags: tuple[Flag, ...]) -> Span:
    source = moment.source if delta.at is None else TimeSource.DEVICE
    return Span(min(start, end), end, delta.in_, delta.out, source, flags)


def _agrees(steps: tuple[int, int | None], delta: Delta | None) -> bool:
    return delta is None or (delta.in_, delta.out) == steps


def _flagged(span: Span, flag: Flag) -> Span:
    return structs.replace(span, flags=(*span.flags, flag))


def _minus(step_out: int | None, counted: int | None) -> int | None:
    return None if step_out is None else step_out - (counted or 0)
