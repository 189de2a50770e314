/**
 * Why this storage is what it is in its group, and what to do about it, in sentences for its owner: nothing where it is in service as it
 * should be. One for every status, because a status that does not move tells nobody why. Pure.
 */
import { type StorageStatus, storageStatus, storageStatusCaption } from "#model/storage-status.ts";
import { hasSubstitute } from "#storage/fill-watch.ts";
import type { Peer } from "#storage/peer-directory.ts";
import type { OwnState } from "#storage/storage-status-machine.ts";

export interface TrackerCondition {
  readonly tracker: string;
  /** `joined` where it knows us. */
  readonly state: string;
  readonly problem: string;
  /** Unix seconds: since when. */
  readonly since: number;
}

export interface StatusFacts {
  readonly own: OwnState;
  /** Unix seconds: since when we are what we are, and now. */
  readonly since: number;
  readonly now: number;
  readonly trackers: readonly TrackerCondition[];
  /** A leading tracker is known. */
  readonly hasLeader: boolean;
  /** All members but us. */
  readonly peers: readonly Peer[];
  /** Seconds for which each has had its status. */
  readonly peerAge: (peer: Peer) => number | undefined;
  /** From replication; may be empty. */
  readonly fillProgress: string;
  /** After which another storage takes the place of a source that is away. */
  readonly sourcePatienceMs: number;
}

/** A step that takes longer than this has a reason worth telling. */
const soonSeconds = 30;

export function explainStatus(facts: StatusFacts): string | undefined {
  const { status } = facts.own;
  switch (status) {
    case storageStatus.none:
      return explainSilence(facts);
    case storageStatus.init:
      return explainInit(facts);
    case storageStatus.waitSync:
      return explainWaiting(facts);
    case storageStatus.syncing:
      return explainFilling(facts);
    case storageStatus.offline:
      return isHeard(facts)
        ? late(
            facts,
            `The trackers have this storage as OFFLINE; its next sign of life makes it ACTIVE. ${leaderWords(facts)}`,
          )
        : explainSilence(facts);
    case storageStatus.online:
      return late(
        facts,
        `The trackers know this storage and wait for its first beat. ${leaderWords(facts)}`,
      );
    case storageStatus.recovery:
      return "A store path is being rebuilt from the other storages; clients are sent to those until it is done.";
    case storageStatus.deleted:
      return "This storage was deleted from its group. It joins again as a new member, and is filled by the others; stop it if it is not to come back.";
    case storageStatus.ipChanged:
      return "The trackers know this storage under another address by now. It joins again under the present one; if that does not end, give the storages ids (tracker.storage_ids_file), which do not depend on addresses.";
    case storageStatus.active:
      return isHeard(facts) && !facts.hasLeader
        ? "No tracker leads the others just now: files are stored and served, but members that come or go are not heard of. Check that the trackers reach each other."
        : undefined;
    default:
      return unknownStatus(status);
  }
}

function unknownStatus(status: never): string {
  return `The trackers have this storage in a status that is not known here (${String(status)}).`;
}

function isHeard({ trackers }: StatusFacts): boolean {
  return trackers.some(({ state }) => state === "joined");
}

/** Not worth telling while it is on its way. */
function late({ since, now }: StatusFacts, sentence: string): string | undefined {
  return now - since > soonSeconds
    ? `${sentence.trim()} It has waited for ${ago(now - since)}.`
    : undefined;
}

function leaderWords({ hasLeader }: StatusFacts): string {
  return hasLeader
    ? ""
    : "No tracker leads the others just now, and only the leader tells: check that the trackers reach each other.";
}

function explainSilence(facts: StatusFacts): string {
  const { trackers, now } = facts;
  if (trackers.length === 0) {
    return "No tracker is named in storage.trackers; files are served to those who ask here.";
  }
  const each = trackers.map(
    ({ tracker, problem, since }) =>
      `${tracker}: ${problem || "no answer"}, for ${ago(now - since)}`,
  );
  return `No tracker knows this storage (${each.join("; ")}). Files are served to those who ask here, but no client is sent here. Check storage.trackers, the trackers and the network.`;
}

function explainInit(facts: StatusFacts): string {
  if (!isHeard(facts)) return explainSilence(facts);
  const fit = facts.peers.filter(({ status }) => status === storageStatus.active);
  if (fit.length > 0) {
    return "This storage is new, and the trackers are about to choose who fills it.";
  }
  const others = facts.peers.filter(({ status }) => !isPast(status));
  const names = others.map((peer) => peerWords(facts, peer)).join(", ");
  return `This storage is new and waits for a storage of the group that is ACTIVE and can fill it; there is none (${names || "no other one is known"}). Start one of them; delete at the trackers those that do not come back.`;
}

function explainWaiting(facts: StatusFacts): string {
  const { own, since, now } = facts;
  const source = own.source;
  const name =
    source === undefined ? "a storage that the trackers have chosen" : peerName(facts, source);
  const waits = `This storage is new and waits for ${name} to send what the group has, for ${ago(now - since)}`;
  const peer = facts.peers.find(({ id }) => id === source);
  if (peer === undefined) {
    return `${waits}: the trackers do not list that one. If it does not come back, delete it at the trackers, and another one takes its place.`;
  }
  if (peer.status === storageStatus.active) {
    const advice = now - since > soonSeconds ? " Check that it can connect to this storage." : "";
    return `${waits}: it is ACTIVE and has not begun.${advice}`;
  }
  return `${waits}: it is ${peerState(facts, peer)}. ${sourceAdvice(facts)}`;
}

/** Of a source that is away. */
function sourceAdvice({ own, peers, sourcePatienceMs }: StatusFacts): string {
  if (!hasSubstitute(own, peers)) {
    return "Start it: there is no other storage that is ACTIVE and takes files, which could take its place.";
  }
  const patience = ago(sourcePatienceMs / 1000);
  return `Start it; if it stays away for ${patience}, another one takes its place by itself, and what is here already stays.`;
}

function explainFilling(facts: StatusFacts): string {
  const { own, since, now, fillProgress } = facts;
  const peer = facts.peers.find(({ id }) => id === own.source);
  const name = own.source === undefined ? "another storage" : peerName(facts, own.source);
  const progress = fillProgress === "" ? "" : ` (${fillProgress})`;
  const filling = `This storage is being filled by ${name} for ${ago(now - since)}${progress}; clients are sent here when that is done`;
  if (peer === undefined || peer.status === storageStatus.active) return `${filling}.`;
  return `${filling}. But that one is ${peerState(facts, peer)}. ${sourceAdvice(facts)}`;
}

function peerWords(facts: StatusFacts, peer: Peer): string {
  return `${peerName(facts, peer.id)} is ${peerState(facts, peer)}`;
}

function peerState(facts: StatusFacts, peer: Peer): string {
  const age = facts.peerAge(peer);
  const caption = storageStatusCaption(peer.status);
  return age === undefined ? caption : `${caption} for ${ago(age)}`;
}

/** The id, with the address where the id does not say it. */
function peerName({ peers }: StatusFacts, id: string): string {
  const address = peers.find((peer) => peer.id === id)?.addresses[0];
  return address === undefined || address === id ? id : `${id} (${address})`;
}

function isPast(status: StorageStatus): boolean {
  return status === storageStatus.deleted || status === storageStatus.ipChanged;
}

/** `40 s`, `7 min`, `3 h`, `12 days`. */
function ago(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
