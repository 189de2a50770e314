/**
 * Who leads the trackers, as one of them sees it (protocol §9.7): pure, one function from state and input to state and effects. Trackers
 * are named by the key of their list (`address:port` of the first address). Times are monotonic milliseconds.
 *
 * Beyond the original: a follower whose leader answers does not help another tracker to lead, so that a broken line between two trackers
 * makes no second leader; and a leader that finds another one steps down or makes that one step down, by rank.
 */
import { unreachable } from "#base/assert.ts";
import { formatEndpoint } from "#model/endpoint.ts";
import { bestCandidate, type Candidate, compareCandidates } from "#tracker/election/placement.ts";
import {
  leaderLostAfterFailures,
  leaderPingPeriodMs,
  rivalSearchPeriodMs,
} from "#tracker/limits.ts";

export type TrackerKey = string;

export type ElectionPhase =
  /** No other tracker is known: leads as soon as there is a group. */
  | { readonly name: "alone" }
  /** Nobody leads; all are asked how they are placed at `askAtMs`. `why` is for the operator. */
  | { readonly name: "searching"; readonly askAtMs: number; readonly why: string }
  | { readonly name: "asking"; readonly why: string }
  /** We are the best, and tell the others in two phases. */
  | { readonly name: "announcing" }
  /** `best` is, and is expected to announce itself; else all are asked again. */
  | { readonly name: "waiting"; readonly best: TrackerKey; readonly untilMs: number }
  | {
      readonly name: "following";
      readonly leader: TrackerKey;
      /** Pings in a row without answer. */
      readonly failures: number;
      /** Undefined while one is under way. */
      readonly pingAtMs: number | undefined;
      /** Undefined before the first answer. */
      readonly answeredAtMs: number | undefined;
    }
  | { readonly name: "leading"; readonly searchAtMs: number };

export interface ElectionState {
  readonly phase: ElectionPhase;
  /** Named by the first phase of an announcement. */
  readonly nominee: TrackerKey | undefined;
}

export type ElectionInput = { readonly nowMs: number } & (
  | { readonly name: "tick" }
  /** The list of trackers changed. */
  | { readonly name: "trackers"; readonly known: ReadonlySet<TrackerKey>; readonly alone: boolean }
  /** What all that answered said; `own` is undefined without groups. `pauseMs` is random. */
  | {
      readonly name: "placements";
      readonly own: Candidate | undefined;
      readonly others: readonly Candidate[];
      readonly pauseMs: number;
    }
  /** `failure` is undefined where nobody objected. */
  | {
      readonly name: "announced";
      readonly self: TrackerKey;
      readonly failure: string | undefined;
      readonly pauseMs: number;
    }
  /** NOTIFY_NEXT_LEADER */
  | { readonly name: "nominated"; readonly tracker: TrackerKey; readonly isSelf: boolean }
  /** COMMIT_NEXT_LEADER */
  | { readonly name: "committed"; readonly tracker: TrackerKey; readonly isSelf: boolean }
  /** NOTIFY_RESELECT_LEADER: a storage heard of two leaders. `hasMajority`: most trackers follow us. */
  | { readonly name: "reselect"; readonly hasMajority: boolean; readonly pauseMs: number }
  | {
      readonly name: "pinged";
      readonly leader: TrackerKey;
      readonly outcome: "answered" | "failed" | "not-leading";
    }
);

type WithoutTime<Input> = Input extends unknown ? Omit<Input, "nowMs"> : never;
/** What happens, by whoever does not look at the clock. */
export type ElectionEvent = WithoutTime<ElectionInput>;

export type ElectionEffect =
  /** Ask all trackers how they are placed, and come back with `placements`. */
  | { readonly name: "ask" }
  /** Nominate and commit ourselves everywhere, and come back with `announced`. */
  | { readonly name: "announce" }
  /** Come back with `pinged`. */
  | { readonly name: "ping"; readonly leader: TrackerKey }
  | { readonly name: "hang-up" }
  /** Another one leads as well, and ranks below us. */
  | { readonly name: "unseat"; readonly rival: TrackerKey }
  | { readonly name: "refuse"; readonly why: ElectionRefusal };

/** `stepped-down`: we led, and somebody else was named. `follows`: our leader is well. */
export type ElectionRefusal = "stepped-down" | "follows" | "not-nominated" | "not-leading";

export interface ElectionTransition {
  readonly state: ElectionState;
  readonly effects: readonly ElectionEffect[];
}

export const aloneState: ElectionState = { phase: { name: "alone" }, nominee: undefined };

/** How long the answer to a ping shows that the leader is well. */
const wellMs = 2 * leaderPingPeriodMs + leaderPingPeriodMs / 2;

export function transition(state: ElectionState, input: ElectionInput): ElectionTransition {
  switch (input.name) {
    case "tick":
      return tick(state, input.nowMs);
    case "trackers":
      return trackersChanged(state, input);
    case "placements":
      return placementsKnown(state, input);
    case "announced":
      return announced(state, input);
    case "nominated":
      return nominated(state, input);
    case "committed":
      return committed(state, input);
    case "reselect":
      return reselect(state, input);
    case "pinged":
      return pinged(state, input);
    default:
      return unreachable(input);
  }
}

type InputOf<Name extends ElectionInput["name"]> = Extract<ElectionInput, { name: Name }>;

function tick(state: ElectionState, nowMs: number): ElectionTransition {
  const { phase } = state;
  switch (phase.name) {
    case "searching":
      return nowMs < phase.askAtMs
        ? stay(state)
        : to(state, { name: "asking", why: phase.why }, { name: "ask" });
    case "waiting": {
      const why = `${phase.best} is to lead, and has not announced itself`;
      return nowMs < phase.untilMs
        ? stay(state)
        : to(state, { name: "asking", why }, { name: "ask" });
    }
    case "following":
      return phase.pingAtMs === undefined || nowMs < phase.pingAtMs
        ? stay(state)
        : to(state, { ...phase, pingAtMs: undefined }, { name: "ping", leader: phase.leader });
    case "leading":
      return nowMs < phase.searchAtMs ? stay(state) : to(state, leading(nowMs), { name: "ask" });
    default:
      return stay(state);
  }
}

function trackersChanged(state: ElectionState, input: InputOf<"trackers">): ElectionTransition {
  const { known, alone, nowMs } = input;
  const nominee =
    state.nominee !== undefined && known.has(state.nominee) ? state.nominee : undefined;
  const kept: ElectionState = { phase: state.phase, nominee };
  const { phase } = state;
  if (alone) {
    return phase.name === "alone" ? { state: kept, effects: [] } : leave(kept, { name: "alone" });
  }
  if (phase.name === "alone") return to(kept, searching(nowMs, "other trackers are known now"));
  const gone =
    (phase.name === "following" && !known.has(phase.leader)) ||
    (phase.name === "waiting" && !known.has(phase.best));
  if (gone)
    return leave(kept, searching(nowMs, "the leader is no tracker of the storages any more"));
  return { state: kept, effects: [] };
}

function placementsKnown(state: ElectionState, input: InputOf<"placements">): ElectionTransition {
  const { own, others, nowMs, pauseMs } = input;
  const { phase } = state;
  if (phase.name === "leading") return rivals(state, input);
  if (phase.name !== "asking") return stay(state);
  const best = bestCandidate(own === undefined ? others : [own, ...others]);
  if (best === undefined) {
    return to(state, searching(nowMs + leaderPingPeriodMs, "no tracker has groups"));
  }
  if (best === own) return to(state, { name: "announcing" }, { name: "announce" });
  const key = formatEndpoint(best.endpoint);
  if (best.isLeader) return follow(state, key);
  return to(state, { name: "waiting", best: key, untilMs: nowMs + pauseMs });
}

/** After a split has healed two trackers lead, until the storages or one of the two notice. */
function rivals(state: ElectionState, input: InputOf<"placements">): ElectionTransition {
  const { own, others, nowMs } = input;
  const found = others.filter((other) => other.isLeader);
  const best = bestCandidate(found);
  if (best === undefined) return stay(state);
  if (own === undefined || compareCandidates(best, own) < 0) {
    return follow(state, formatEndpoint(best.endpoint));
  }
  const effects = found.map((rival): ElectionEffect => {
    return { name: "unseat", rival: formatEndpoint(rival.endpoint) };
  });
  return to(state, leading(nowMs), ...effects);
}

function announced(state: ElectionState, input: InputOf<"announced">): ElectionTransition {
  const { failure, self, nowMs, pauseMs } = input;
  if (state.phase.name !== "announcing") return stay(state);
  if (failure === undefined && state.nominee === self) {
    return { state: { phase: leading(nowMs), nominee: undefined }, effects: [] };
  }
  const why = failure ?? `${state.nominee ?? "another tracker"} was named meanwhile`;
  return to(state, searching(nowMs + pauseMs, why));
}

function nominated(state: ElectionState, input: InputOf<"nominated">): ElectionTransition {
  const { tracker, isSelf, nowMs } = input;
  const { phase } = state;
  if (phase.name === "leading" && !isSelf) {
    const why = `${tracker} was named, and we stepped down`;
    const next = searching(nowMs + leaderPingPeriodMs, why);
    return to({ ...state, nominee: undefined }, next, refusal("stepped-down"));
  }
  if (phase.name === "following" && phase.leader !== tracker) {
    const { answeredAtMs } = phase;
    if (answeredAtMs !== undefined && nowMs - answeredAtMs < wellMs) {
      return { state, effects: [refusal("follows")] };
    }
  }
  return { state: { phase, nominee: tracker }, effects: [] };
}

function committed(state: ElectionState, input: InputOf<"committed">): ElectionTransition {
  const { tracker, isSelf, nowMs } = input;
  if (state.nominee !== tracker) return { state, effects: [refusal("not-nominated")] };
  const done: ElectionState = { phase: state.phase, nominee: undefined };
  if (state.phase.name === "alone") return { state: done, effects: [] };
  if (isSelf) return leave(done, leading(nowMs));
  const { phase } = state;
  if (phase.name === "following" && phase.leader === tracker) return { state: done, effects: [] };
  return follow(done, tracker);
}

/** Who leads a majority stays: the other one steps down, again and again as long as it cannot see the rest of us. */
function reselect(state: ElectionState, input: InputOf<"reselect">): ElectionTransition {
  switch (state.phase.name) {
    case "alone":
      return stay(state);
    case "leading":
      return input.hasMajority
        ? stay(state)
        : to(state, searching(input.nowMs + input.pauseMs, "another tracker led as well"));
    default:
      return { state, effects: [refusal("not-leading")] };
  }
}

function pinged(state: ElectionState, input: InputOf<"pinged">): ElectionTransition {
  const { phase } = state;
  const { leader, outcome, nowMs } = input;
  if (phase.name !== "following" || phase.leader !== leader) return stay(state);
  const pingAtMs = nowMs + leaderPingPeriodMs;
  if (outcome === "answered") {
    return to(state, { ...phase, failures: 0, pingAtMs, answeredAtMs: nowMs });
  }
  // One that was just named may not know it itself yet; one that led and does not any more will not again.
  if (outcome === "not-leading" && phase.answeredAtMs !== undefined) {
    return leave(state, searching(nowMs, `${leader} does not lead any more`));
  }
  const failures = phase.failures + 1;
  if (failures >= leaderLostAfterFailures) {
    const why =
      outcome === "failed" ? `${leader}, which led, does not answer` : `${leader} does not lead`;
    return leave(state, searching(nowMs, why));
  }
  return to(state, { ...phase, failures, pingAtMs }, { name: "hang-up" });
}

function follow(state: ElectionState, leader: TrackerKey): ElectionTransition {
  const phase: ElectionPhase = {
    name: "following",
    leader,
    failures: 0,
    pingAtMs: undefined,
    answeredAtMs: undefined,
  };
  return { state: { phase, nominee: state.nominee }, effects: [hangUp, { name: "ping", leader }] };
}

const hangUp: ElectionEffect = { name: "hang-up" };

function searching(askAtMs: number, why: string): ElectionPhase {
  return { name: "searching", askAtMs, why };
}

function leading(nowMs: number): ElectionPhase {
  return { name: "leading", searchAtMs: nowMs + rivalSearchPeriodMs };
}

/** Ends a connection to a leader, if there is one. */
function leave(state: ElectionState, phase: ElectionPhase): ElectionTransition {
  return { state: { phase, nominee: state.nominee }, effects: [hangUp] };
}

function to(
  state: ElectionState,
  phase: ElectionPhase,
  ...effects: readonly ElectionEffect[]
): ElectionTransition {
  return { state: { phase, nominee: state.nominee }, effects };
}

function stay(state: ElectionState): ElectionTransition {
  return { state, effects: [] };
}

function refusal(why: ElectionRefusal): ElectionEffect {
  return { name: "refuse", why };
}
