/**
 * What this storage is in its group, as far as it can know itself (protocol §6.4, §6.6): pure, one function from state and input to state
 * and effects. The trackers have the last word on each status; what they cannot know is kept here: whether it was decided who fills us,
 * and whether that has come to an end. Trackers that lost their state, or restored an old one, can thus not make us new again.
 */
import { unreachable } from "#base/assert.ts";
import type { StorageId } from "#model/storage-id.ts";
import { type StorageStatus, storageStatus } from "#model/storage-status.ts";
import { isAvailable } from "#storage/peer-directory.ts";

export interface OwnState {
  /** `none` until a tracker has answered. */
  readonly status: StorageStatus;
  /** It was decided who fills us, or that nobody needs to. */
  readonly settled: boolean;
  readonly source: StorageId | undefined;
  /** Unix seconds of a tracker: up to then the source also sends what others had stored. */
  readonly until: number;
  /** We have what the group had when we came: we were ACTIVE once, or were the first. */
  readonly filled: boolean;
}

export type OwnInput =
  /** A tracker answered our join, the leading one as far as we know. */
  | { readonly name: "joined"; readonly status: StorageStatus }
  /** 87 or 79 was answered. */
  | {
      readonly name: "source-decided";
      readonly source: StorageId | undefined;
      readonly until: number;
    }
  /** The leading tracker's list of the group has us like this. */
  | { readonly name: "listed"; readonly status: StorageStatus }
  /** Who was to fill us has left the cluster. */
  | { readonly name: "source-gone" }
  /** A storage goes on under another address, and thereby another id. */
  | { readonly name: "moved"; readonly from: StorageId; readonly to: StorageId }
  /** The trackers have us as DELETED. */
  | { readonly name: "removed" }
  /** No tracker hears us any more. */
  | { readonly name: "no-tracker" }
  /** A store path is being rebuilt, and we are not to be read meanwhile. */
  | { readonly name: "recovery-began" }
  | { readonly name: "recovery-ended" };

export type OwnEffect =
  | { readonly name: "save" }
  /** All trackers are to be joined anew. */
  | { readonly name: "rejoin" }
  /** The leading tracker is behind the times: it is told what we are (59). */
  | { readonly name: "correct-tracker" }
  /** All trackers are told what we are (76). */
  | { readonly name: "tell-trackers" };

export interface OwnTransition {
  readonly state: OwnState;
  readonly effects: readonly OwnEffect[];
}

const { init, waitSync, syncing, ipChanged, deleted, offline, online, active, recovery, none } =
  storageStatus;
const save: OwnEffect = { name: "save" };
const rejoin: OwnEffect = { name: "rejoin" };

export function ownTransition(state: OwnState, input: OwnInput): OwnTransition {
  switch (input.name) {
    case "joined":
      return state.status === recovery ? stay(state) : become(state, input.status);
    case "source-decided":
      return sourceDecided(state, input);
    case "listed":
      return listed(state, input.status);
    case "source-gone":
      return sourceGone(state);
    case "moved":
      return state.source === input.from
        ? { state: { ...state, source: input.to }, effects: [save] }
        : stay(state);
    case "removed":
      return removed(state);
    case "no-tracker":
      return isAvailable(state.status) ? become(state, offline) : stay(state);
    case "recovery-began":
      return state.filled && state.status !== deleted
        ? become(state, recovery, { name: "tell-trackers" })
        : stay(state);
    case "recovery-ended":
      return state.status === recovery ? become(state, online, rejoin) : stay(state);
    default:
      return unreachable(input);
  }
}

function sourceDecided(
  state: OwnState,
  decision: { readonly source: StorageId | undefined; readonly until: number },
): OwnTransition {
  if (state.settled) return stay(state);
  const { source, until } = decision;
  const filled = source === undefined;
  const status = filled ? online : waitSync;
  return { state: { status, settled: true, source, until, filled }, effects: [save] };
}

function listed(state: OwnState, told: StorageStatus): OwnTransition {
  if (told === none || (state.status === recovery && told !== deleted)) return stay(state);
  if (told === deleted) return removed(state);
  // We are back at an address that we had given up: a join makes the record ours again.
  if (told === ipChanged) {
    return state.status === ipChanged ? stay(state) : become(state, ipChanged, rejoin);
  }
  if (state.filled && (told === waitSync || told === syncing)) {
    return { state, effects: [{ name: "correct-tracker" }] };
  }
  if (told !== active || state.filled) return become(state, told);
  return become({ ...state, filled: true }, active, save);
}

/** One that has filled us is not needed any more. */
function sourceGone(state: OwnState): OwnTransition {
  if (state.source === undefined) return stay(state);
  const without = { ...state, source: undefined, until: 0 };
  const ended = state.filled || state.status === offline || isAvailable(state.status);
  if (ended) return { state: without, effects: [save] };
  return { state: { ...without, status: init, settled: false }, effects: [save, rejoin] };
}

/** Whatever is on our disks may be outdated: we are new again, and keep the files. */
function removed(state: OwnState): OwnTransition {
  const fresh: OwnState = {
    status: deleted,
    settled: false,
    source: undefined,
    until: 0,
    filled: false,
  };
  return state.settled ? { state: fresh, effects: [save, rejoin] } : become(state, deleted);
}

function become(
  state: OwnState,
  status: StorageStatus,
  ...effects: readonly OwnEffect[]
): OwnTransition {
  return { state: state.status === status ? state : { ...state, status }, effects };
}

function stay(state: OwnState): OwnTransition {
  return { state, effects: [] };
}
