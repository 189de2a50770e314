/**
 * The life of the link to one peer (protocol §6.3) as a pure function: what is known of the peer and what happened go in, what to do comes
 * out. Its owner asks, connects, sends, waits and reports. A state that does not move says why, in words (`describeLink`).
 */
import { type StorageStatus, storageStatus, storageStatusCaption } from "#model/storage-status.ts";
import { firstRetryMs, maxRetryMs } from "#sync/limits.ts";

/** What of the old files this storage sends to the peer. */
export interface SyncPlan {
  readonly needSyncOld: boolean;
  readonly oldDone: boolean;
  /** Unix seconds; 0 where nobody fills the peer. */
  readonly until: number;
}

export type LinkPhase =
  | "loading"
  | "waiting"
  | "asking"
  | "connecting"
  | "sending"
  | "pausing"
  | "gone";

export interface LinkState {
  readonly phase: LinkPhase;
  /** As trackers tell it, or as we have just told them; undefined while nobody has told. */
  readonly status: StorageStatus | undefined;
  /** We have told the trackers `status` by ourselves, and they may not have heard it yet. */
  readonly told: boolean;
  readonly hoursOpen: boolean;
  /** Undefined where there is no mark of the peer. */
  readonly plan: SyncPlan | undefined;
  /** A tracker has answered who fills the peer, since that mattered last. */
  readonly sourceKnown: boolean;
  /** The cursor is to start over when sending begins. */
  readonly startOver: boolean;
  /** That is because no mark of the peer was found. */
  readonly isUnmarked: boolean;
  readonly failures: number;
  readonly problem: string;
}

/** Who fills the peer, as a tracker has it. */
export type Filler = "self" | "other" | "nobody";

export type LinkInput =
  /** The marks were read. */
  | { readonly name: "loaded"; readonly plan: SyncPlan | undefined }
  | { readonly name: "status"; readonly status: StorageStatus | undefined }
  | { readonly name: "hours"; readonly open: boolean }
  /** A tracker's answer (86): who fills the peer, if anybody does. */
  | { readonly name: "source"; readonly filler: Filler; readonly until: number }
  /** A mark of the peer was found after all, where it had another address. */
  | { readonly name: "mark-found"; readonly plan: SyncPlan }
  | { readonly name: "connected" }
  /** The peer acknowledged something. */
  | { readonly name: "progress" }
  /** Everything that was to be sent is acknowledged, up to the end of every binlog. */
  | { readonly name: "caught-up" }
  | { readonly name: "failed"; readonly why: string }
  | { readonly name: "retry" }
  /** It waited for another one to fill the peer for some time, and trackers may have another answer by now. */
  | { readonly name: "doubt" };

export type LinkEffect =
  | { readonly name: "ask-source" }
  | { readonly name: "connect" }
  | { readonly name: "begin"; readonly plan: SyncPlan; readonly startOver: boolean }
  /** Ends sending and whatever is under way. */
  | { readonly name: "disconnect" }
  | { readonly name: "save-plan"; readonly plan: SyncPlan }
  | { readonly name: "report"; readonly status: StorageStatus }
  | { readonly name: "pause"; readonly ms: number };

export interface LinkTransition {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

export const newLink: LinkState = {
  phase: "loading",
  status: undefined,
  told: false,
  hoursOpen: true,
  plan: undefined,
  sourceKnown: false,
  startOver: false,
  isUnmarked: false,
  failures: 0,
  problem: "",
};

const goneStatuses: readonly StorageStatus[] = [
  storageStatus.deleted,
  storageStatus.ipChanged,
  storageStatus.none,
];
const sendingStatuses: readonly StorageStatus[] = [
  storageStatus.active,
  storageStatus.waitSync,
  storageStatus.syncing,
];

export function transition(state: LinkState, input: LinkInput): LinkTransition {
  switch (input.name) {
    case "loaded":
      if (state.phase !== "loading") return same(state);
      return settle({
        ...{ ...state, phase: "waiting", plan: input.plan },
        isUnmarked: input.plan === undefined,
      });
    case "status":
      return withStatus(state, input.status);
    case "hours":
      return settle({ ...state, hoursOpen: input.open });
    case "source":
      return withSource(state, input);
    case "mark-found":
      return markFound(state, input.plan);
    case "connected":
      return connected(state);
    case "progress":
      return { state: state.failures === 0 ? state : { ...state, failures: 0 }, effects: [] };
    case "caught-up":
      return caughtUp(state);
    case "failed":
      return failed(state, input.why);
    case "retry":
      return state.phase === "pausing" ? settle({ ...state, phase: "waiting" }) : same(state);
    case "doubt":
      return doubted(state);
  }
}

function same(state: LinkState): LinkTransition {
  return { state, effects: [] };
}

function isActive(phase: LinkPhase): boolean {
  return phase === "asking" || phase === "connecting" || phase === "sending";
}

/** What hinders sending, in words; undefined where nothing does. */
function hindrance(state: LinkState): string | undefined {
  const { status, plan } = state;
  if (status === undefined) return "no tracker has told of it yet";
  if (!sendingStatuses.includes(status)) {
    return `it is ${storageStatusCaption(status)}, and nothing is sent to it until it is ACTIVE`;
  }
  if (!state.hoursOpen) return "it is outside of the hours in which files are copied";
  if (plan !== undefined && state.sourceKnown && !plan.needSyncOld) {
    if (status !== storageStatus.active) {
      return `it is ${storageStatusCaption(status)}: another storage fills it first`;
    }
  }
  return undefined;
}

/** True where it depends on a tracker's answer what is sent. */
function mustAsk({ status, plan, sourceKnown }: LinkState): boolean {
  if (sourceKnown) return false;
  if (plan === undefined || isUnfinished(plan)) return true;
  return status === storageStatus.waitSync || status === storageStatus.syncing;
}

/** This storage was to fill the peer, and had not come to the end. */
function isUnfinished(plan: SyncPlan): boolean {
  return plan.needSyncOld && !plan.oldDone;
}

/** The phase that fits what is known, and the way there. */
function settle(state: LinkState): LinkTransition {
  if (state.phase === "loading") return same(state);
  const leave: readonly LinkEffect[] = isActive(state.phase) ? [{ name: "disconnect" }] : [];
  if (state.status !== undefined && goneStatuses.includes(state.status)) {
    return { state: { ...state, phase: "gone", problem: "" }, effects: leave };
  }
  const problem = hindrance(state);
  if (problem !== undefined) {
    return { state: { ...state, phase: "waiting", problem }, effects: leave };
  }
  if (state.phase === "pausing" || state.phase === "connecting" || state.phase === "sending") {
    return same(state);
  }
  if (mustAsk(state)) {
    if (state.phase === "asking") return same(state);
    return {
      state: { ...state, phase: "asking", problem: "" },
      effects: [{ name: "ask-source" }],
    };
  }
  return {
    state: { ...state, phase: "connecting", problem: "" },
    effects: [{ name: "connect" }],
  };
}

function withStatus(state: LinkState, status: StorageStatus | undefined): LinkTransition {
  // What we told as the peer's source stands until a tracker tells something that follows it.
  if (state.told && isBehind(status, state.status)) return same(state);
  if (status === state.status) return same({ ...state, told: false });
  const fresh =
    status === storageStatus.init ||
    (status === storageStatus.waitSync && state.status !== storageStatus.syncing);
  const asksAgain = fresh || status === storageStatus.syncing;
  const next: LinkState = {
    ...state,
    status,
    told: false,
    sourceKnown: asksAgain ? false : state.sourceKnown,
    isUnmarked: state.isUnmarked && !fresh,
  };
  const revived = status === storageStatus.active && state.phase === "pausing";
  if (revived) return settle({ ...next, phase: "waiting", failures: 0 });
  // A peer that begins anew while we send has lost what we sent.
  if (fresh && isActive(state.phase)) {
    const again = settle({ ...next, phase: "waiting" });
    return { state: again.state, effects: [{ name: "disconnect" }, ...again.effects] };
  }
  return settle(next);
}

/** In the life of a new member: WAIT_SYNC, SYNCING, OFFLINE. */
function isBehind(heard: StorageStatus | undefined, told: StorageStatus | undefined): boolean {
  if (told === storageStatus.syncing) return heard === storageStatus.waitSync;
  if (told !== storageStatus.offline) return false;
  return heard === storageStatus.waitSync || heard === storageStatus.syncing;
}

function withSource(
  state: LinkState,
  { filler, until }: { readonly filler: Filler; readonly until: number },
): LinkTransition {
  if (state.phase !== "asking") return same(state);
  const answered: LinkState = { ...state, phase: "waiting", sourceKnown: true };
  const { plan, status } = state;
  const isSelf = filler === "self";
  if (plan === undefined || status === storageStatus.waitSync || (isSelf && !plan.needSyncOld)) {
    const anew: SyncPlan = { needSyncOld: isSelf, oldDone: false, until };
    return settle({ ...answered, plan: anew, startOver: true });
  }
  // We were away, and another one took our place.
  if (filler === "other" && isUnfinished(plan)) {
    return settle({ ...answered, plan: { needSyncOld: false, oldDone: false, until: 0 } });
  }
  return settle(answered);
}

/** It holds for a peer that goes on, and not for one that begins. */
function markFound(state: LinkState, plan: SyncPlan): LinkTransition {
  const goesOn = state.status === storageStatus.active && state.isUnmarked;
  if (state.phase !== "connecting" || !goesOn) return same(state);
  return { state: { ...state, plan, startOver: false, isUnmarked: false }, effects: [] };
}

/** The one that was to fill it may have been removed, and we, or nobody, be its source by now. */
function doubted(state: LinkState): LinkTransition {
  const { phase, status } = state;
  const isFilled = status !== storageStatus.waitSync && status !== storageStatus.syncing;
  return phase !== "waiting" || isFilled ? same(state) : settle({ ...state, sourceKnown: false });
}

function connected(state: LinkState): LinkTransition {
  const { plan } = state;
  if (state.phase !== "connecting" || plan === undefined) return same(state);
  const effects: LinkEffect[] = [];
  let next: LinkState = { ...state, phase: "sending", startOver: false, isUnmarked: false };
  if (state.status === storageStatus.waitSync && plan.needSyncOld) {
    next = { ...next, status: storageStatus.syncing, told: true };
    effects.push({ name: "report", status: storageStatus.syncing });
  }
  effects.push({ name: "begin", plan, startOver: state.startOver });
  return { state: next, effects };
}

function caughtUp(state: LinkState): LinkTransition {
  const { plan } = state;
  if (state.phase !== "sending" || plan === undefined || !plan.needSyncOld) return same(state);
  const effects: LinkEffect[] = [];
  const done: SyncPlan = { ...plan, oldDone: true };
  if (!plan.oldDone) effects.push({ name: "save-plan", plan: done });
  if (state.status !== storageStatus.syncing) {
    return { state: { ...state, plan: done }, effects };
  }
  effects.push({ name: "report", status: storageStatus.offline });
  const offline: LinkState = { ...state, plan: done, status: storageStatus.offline, told: true };
  const settled = settle(offline);
  return { state: settled.state, effects: [...effects, ...settled.effects] };
}

function failed(state: LinkState, why: string): LinkTransition {
  if (!isActive(state.phase)) return same(state);
  const failures = state.failures + 1;
  const ms = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10));
  return {
    state: { ...state, phase: "pausing", failures, problem: why },
    effects: [{ name: "disconnect" }, { name: "pause", ms }],
  };
}

/** What the link does, or why it does not move. */
export function describeLink(state: LinkState): string {
  switch (state.phase) {
    case "loading":
      return "reads how far the peer has come";
    case "waiting":
      return `waits: ${state.problem}`;
    case "asking":
      return "asks a tracker who fills the peer";
    case "connecting":
      return "connects";
    case "sending":
      return state.plan?.needSyncOld === true && !state.plan.oldDone
        ? "fills the new peer with all files"
        : "sends changes as they happen";
    case "pausing":
      return `tries again soon: ${state.problem}`;
    case "gone":
      return "the peer has left the group";
  }
}
