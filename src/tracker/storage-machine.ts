/**
 * The life of a storage as a tracker sees it (protocol §6.6): pure, one function from state and input to state and effects.
 * Deviates from C in one point: a record that was deleted, or whose address was given up, comes back by a join only, never by
 * a late beat or by another storage's outdated view.
 */
import { unreachable } from "#base/assert.ts";
import type { StorageId } from "#model/storage-id.ts";
import { isStorageStatus, type StorageStatus, storageStatus } from "#model/storage-status.ts";

/** Who fills a storage with what was stored up to `until`, in Unix seconds. */
export interface SyncSource {
  readonly id: StorageId;
  readonly until: number;
}

export interface StorageState {
  /** `none` before the first join. */
  readonly status: StorageStatus;
  readonly source: SyncSource | undefined;
}

export type StorageInput =
  /** JOIN: `reported` is what the storage thinks of itself, −1 for unknown. */
  | { readonly name: "join"; readonly initializing: boolean; readonly reported: number }
  /** A beat or a disk report. */
  | { readonly name: "heard" }
  /** Any message of a storage of ours, which sends one a second. */
  | { readonly name: "alive" }
  /** SYNC_DEST_REQ was answered with this source, or with nobody. */
  | { readonly name: "source-chosen"; readonly source: SyncSource | undefined }
  /** SYNC_NOTIFY: what another tracker chose. */
  | { readonly name: "source-told"; readonly source: SyncSource | undefined }
  /** The source on record cannot be one any more. */
  | { readonly name: "source-gone" }
  /** REPORT_STATUS or REPLICA_CHG: another storage's view. */
  | { readonly name: "reported"; readonly status: StorageStatus }
  /** CHANGE_STATUS: the leader's view. */
  | { readonly name: "told"; readonly status: StorageStatus }
  | { readonly name: "connection-lost" }
  /** No beat for too long; of a storage of ours, no message. */
  | { readonly name: "silent" }
  | { readonly name: "delete" }
  /** REPORT_IP_CHANGED: another record goes on with this one's data. */
  | { readonly name: "address-given-up" };

export type StorageEffect =
  /** The group has changed: tell its members. */
  | { readonly name: "announce" }
  /** What the storage was told before may be lost: tell it everything again. */
  | { readonly name: "tell-anew" }
  | { readonly name: "changelog-from-end" }
  /** Counters, space and sync times belong to the past. */
  | { readonly name: "reset-record" }
  | { readonly name: "refuse"; readonly why: Refusal };

/** `impossible`: a new storage with a status that it cannot have. */
export type Refusal = "busy" | "already-done" | "not-found" | "impossible";

export interface Transition {
  readonly state: StorageState;
  readonly effects: readonly StorageEffect[];
}

const { init, waitSync, syncing, ipChanged, deleted, offline, online, active, recovery, none } =
  storageStatus;
const announce: StorageEffect = { name: "announce" };
const tellAnew: StorageEffect = { name: "tell-anew" };
const changelogFromEnd: StorageEffect = { name: "changelog-from-end" };
const resetRecord: StorageEffect = { name: "reset-record" };

export function transition(state: StorageState, input: StorageInput): Transition {
  switch (input.name) {
    case "join":
      return join(state, input);
    case "heard":
      return isSettling(state) || isGone(state) ? stay(state) : become(state, active);
    case "alive":
      return state.status === offline ? become(state, active) : stay(state);
    case "source-chosen":
      return sourceChosen(state, input.source);
    case "source-told":
      return sourceTold(state, input.source);
    case "source-gone":
      return state.source === undefined
        ? stay(state)
        : { state: { status: state.status, source: undefined }, effects: [] };
    case "reported":
      return merge(state, input.status);
    case "told":
      return told(state, input.status);
    case "connection-lost":
      return isAvailable(state) ? become(state, offline, tellAnew) : stay(state);
    case "silent":
      return state.status === active ? become(state, offline, tellAnew) : stay(state);
    case "delete":
      return remove(state);
    case "address-given-up":
      return giveUp(state);
    default:
      return unreachable(input);
  }
}

/** Why `input` is refused in this state, if it is. */
export function refusalOf(state: StorageState, input: StorageInput): Refusal | undefined {
  for (const effect of transition(state, input).effects) {
    if (effect.name === "refuse") return effect.why;
  }
  return undefined;
}

/** ONLINE or ACTIVE: it has reported for duty. */
export function isAvailable(state: Pick<StorageState, "status">): boolean {
  return state.status === online || state.status === active;
}

/** Deleted, or known under another address by now. */
export function isGone(state: Pick<StorageState, "status">): boolean {
  return state.status === deleted || state.status === ipChanged;
}

/** Not filled yet. */
function isSettling(state: StorageState): boolean {
  return state.status === init || state.status === waitSync || state.status === syncing;
}

function join(state: StorageState, input: { initializing: boolean; reported: number }): Transition {
  if (state.status === none) return firstJoin(state, input);
  if (isGone(state)) {
    return {
      state: { status: init, source: undefined },
      effects: [resetRecord, changelogFromEnd, announce, tellAnew],
    };
  }
  if (state.status === offline || state.status === recovery) return become(state, online, tellAnew);
  const more = state.status === init ? [changelogFromEnd] : [];
  return { state, effects: [...more, tellAnew] };
}

function firstJoin(
  state: StorageState,
  input: { initializing: boolean; reported: number },
): Transition {
  if (input.initializing || input.reported === init) {
    return become(state, init, changelogFromEnd, tellAnew);
  }
  const { reported } = input;
  if (!isStorageStatus(reported)) return refuse(state, "impossible");
  switch (reported) {
    case waitSync:
    case syncing:
      return become(state, reported, tellAnew);
    case offline:
    case online:
    case active:
    case recovery:
      return become(state, online, tellAnew);
    default:
      return refuse(state, "impossible");
  }
}

function sourceChosen(state: StorageState, source: SyncSource | undefined): Transition {
  if (isGone(state)) return stay(state);
  if (source === undefined) return become(state, online);
  const { effects } = become(state, waitSync);
  return { state: { status: waitSync, source }, effects };
}

function sourceTold(state: StorageState, source: SyncSource | undefined): Transition {
  if (source === undefined) return isSettling(state) ? become(state, online) : stay(state);
  if (isGone(state)) return stay(state);
  const recorded: StorageState = { status: state.status, source: state.source ?? source };
  return state.status === init ? become(recorded, waitSync) : { state: recorded, effects: [] };
}

/** Views of others only ever raise a status, and never that of a storage we hear ourselves (protocol §2.4/85). */
function merge(state: StorageState, reported: StorageStatus): Transition {
  const { status } = state;
  const ours = status === init || isAvailable(state) || status === recovery;
  if (reported === none || reported === status || ours) return stay(state);
  if (reported === deleted || reported === ipChanged) return become(state, reported);
  return !isGone(state) && reported > status ? become(state, reported) : stay(state);
}

function told(state: StorageState, wanted: StorageStatus): Transition {
  const bothAvailable = isAvailable(state) && isAvailable({ status: wanted });
  if (wanted === none || wanted === state.status || bothAvailable) return stay(state);
  // The next beat makes it active.
  return become(state, isAvailable({ status: wanted }) ? offline : wanted);
}

function remove(state: StorageState): Transition {
  if (isAvailable(state) || state.status === recovery) return refuse(state, "busy");
  if (state.status === deleted) return refuse(state, "already-done");
  if (state.status === ipChanged) return refuse(state, "not-found");
  return { state: { status: deleted, source: undefined }, effects: [resetRecord, announce] };
}

function giveUp(state: StorageState): Transition {
  if (isAvailable(state) || state.status === recovery) return refuse(state, "busy");
  if (state.status === ipChanged) return refuse(state, "already-done");
  if (state.status === deleted) return refuse(state, "not-found");
  return { state: { status: ipChanged, source: undefined }, effects: [announce] };
}

function become(
  state: StorageState,
  status: StorageStatus,
  ...more: readonly StorageEffect[]
): Transition {
  if (state.status === status) return { state, effects: more };
  return { state: { status, source: state.source }, effects: [...more, announce] };
}

function stay(state: StorageState): Transition {
  return { state, effects: [] };
}

function refuse(state: StorageState, why: Refusal): Transition {
  return { state, effects: [{ name: "refuse", why }] };
}
