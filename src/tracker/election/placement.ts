/** How trackers are placed for leadership, and which of two goes before the other (protocol §9.7). Pure. */
import type { Endpoint } from "#model/endpoint.ts";
import { statusTimeUnitSeconds } from "#tracker/limits.ts";

/** What GET_STATUS tells; times in seconds, multiples of 300, so that trackers started together are equal. */
export interface Placement {
  readonly isLeader: boolean;
  readonly runningTime: number;
  readonly restartInterval: number;
}

export interface Candidate extends Placement {
  readonly endpoint: Endpoint;
}

/** Negative where `one` goes first: who leads, has run longer, was away shorter; then the greater address and port, as C has it. */
export function compareCandidates(one: Candidate, other: Candidate): number {
  if (one.isLeader !== other.isLeader) return one.isLeader ? -1 : 1;
  if (one.runningTime !== other.runningTime) return other.runningTime - one.runningTime;
  if (one.restartInterval !== other.restartInterval) {
    return one.restartInterval - other.restartInterval;
  }
  const [here, there] = [one.endpoint, other.endpoint];
  if (here.address !== there.address) return here.address > there.address ? -1 : 1;
  return there.port - here.port;
}

export function bestCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  return [...candidates].sort(compareCandidates)[0];
}

/** Seconds as GET_STATUS tells them. */
export function wholeUnits(seconds: number): number {
  return Math.max(0, Math.floor(seconds / statusTimeUnitSeconds)) * statusTimeUnitSeconds;
}
