/**
 * How far a store path can be trusted, as a pure machine: a disk that hangs or a flush that fails takes its path into quarantine, where
 * it stays until the disk answers and a check found everything in order. Its owner (`served-path.ts`) looks at the disk now and
 * then, tells what happened, and performs the effects.
 */

/** Why a path is in quarantine. */
export type QuarantineCause =
  /** Its disk does not answer, or did not for too long. */
  | "hang"
  /** What was written since the last good flush may be lost. */
  | "flush"
  /** Its file system could only be read when it was opened. */
  | "read-only";

/** Times in milliseconds of the owner's monotonic clock. */
export type PathState =
  | { readonly name: "opening"; readonly restarts: number }
  /** `late` counts probes that took long, one after the other. */
  | {
      readonly name: "good";
      readonly restarts: number;
      readonly sinceMs: number;
      readonly late: number;
    }
  /** It serves, and new files go elsewhere. `prompt` counts probes that were answered quickly, one after the other. */
  | {
      readonly name: "slow";
      readonly restarts: number;
      readonly sinceMs: number;
      readonly prompt: number;
    }
  | Quarantine
  /** The worker ended, or could not open the path. It is tried again at `restartAtMs`, where that is not undefined. */
  | {
      readonly name: "offline";
      readonly restarts: number;
      readonly sinceMs: number;
      readonly problem: string;
      readonly restartAtMs: number | undefined;
    }
  /** The node knows of it and has no disk for it; another one takes its place when there is one. */
  | { readonly name: "absent"; readonly restarts: number; readonly problem: string };

export interface Quarantine {
  /** `checking`: a check was asked for and is not answered yet. */
  readonly name: "quarantined" | "checking";
  readonly restarts: number;
  readonly sinceMs: number;
  readonly cause: QuarantineCause;
  readonly problem: string;
  /** Its files are served. */
  readonly reads: boolean;
  /** Checks that found it unfit. */
  readonly failedChecks: number;
  /** Not checked before. */
  readonly checkAtMs: number;
}

export type PathInput =
  /** The worker serves; `readOnly` says why it can only read. */
  | { readonly name: "opened"; readonly nowMs: number; readonly readOnly: string | undefined }
  /** The worker ended or gave up; `mayPass`: another try can help. */
  | {
      readonly name: "ended";
      readonly nowMs: number;
      readonly problem: string;
      readonly mayPass: boolean;
    }
  /** A look at the disk: for how long it has not moved although it has work, and how long it took to answer a probe since the last look. */
  | {
      readonly name: "looked";
      readonly nowMs: number;
      readonly stillMs: number;
      readonly probeMs: number | undefined;
    }
  | { readonly name: "flush-failed"; readonly nowMs: number; readonly problem: string }
  /** `problem` is what the check found. */
  | { readonly name: "checked"; readonly nowMs: number; readonly problem: string | undefined };

export type PathEffect =
  /** Everybody who waits gets an error, and new requests are refused. */
  | "abandon"
  /** Requests that are older than the deadline get an error. */
  | "expire"
  /** Only what reads is served from now on; changes that wait get an error. */
  | "admit-reads"
  /** Everything is served again. */
  | "admit"
  | "check"
  /** A new worker opens the path. */
  | "restart";

export interface PathTransition {
  readonly state: PathState;
  readonly effects: readonly PathEffect[];
}

/** A disk that did not move for this long, although it has work, is no place for new files. */
const slowStillMs = 2000;
/** So is one that takes this long, twice in a row, for a question that it answers in microseconds when it is well. */
const slowProbeMs = 900;
const lateProbes = 2;
/** Probes in a row that must be answered quickly until a slow path counts as good again. */
const promptProbes = 5;
/** Pause after a failed check or a lost worker; doubled each time. */
const firstPauseMs = 5000;
const maxPauseMs = 300_000;
/** Workers of one path that are started again one after the other; more would only hide a bug. */
const maxRestarts = 6;
/** A worker that served for so long was well: restarts are counted anew. */
const steadyMs = 600_000;

export const initialPathState: PathState = { name: "opening", restarts: 0 };

/** `timeoutMs`: how long a disk may stand still before its path is quarantined. */
export function transition(state: PathState, input: PathInput, timeoutMs: number): PathTransition {
  if (state.name === "absent") return same(state);
  if (input.name === "ended") return ended(state, input);
  switch (state.name) {
    case "opening":
      return input.name === "opened" ? opened(state, input) : same(state);
    case "good":
    case "slow":
      return serving(state, input, timeoutMs);
    case "quarantined":
    case "checking":
      return inQuarantine(state, input, timeoutMs);
    case "offline":
      if (input.name !== "looked" || state.restartAtMs === undefined) return same(state);
      if (input.nowMs < state.restartAtMs) return same(state);
      return { state: { name: "opening", restarts: state.restarts + 1 }, effects: ["restart"] };
  }
}

type Input<Name extends PathInput["name"]> = Extract<PathInput, { readonly name: Name }>;
type Serving = Extract<PathState, { readonly name: "good" | "slow" }>;

function same(state: PathState): PathTransition {
  return { state, effects: [] };
}

function opened(state: PathState, { nowMs, readOnly }: Input<"opened">): PathTransition {
  const { restarts } = state;
  if (readOnly === undefined) return good(restarts, nowMs);
  const quarantine: Quarantine = {
    name: "quarantined",
    restarts,
    sinceMs: nowMs,
    cause: "read-only",
    problem: readOnly,
    reads: true,
    failedChecks: 0,
    checkAtMs: nowMs + firstPauseMs,
  };
  return { state: quarantine, effects: ["admit-reads"] };
}

function good(restarts: number, nowMs: number): PathTransition {
  return { state: { name: "good", restarts, sinceMs: nowMs, late: 0 }, effects: ["admit"] };
}

function ended(state: PathState, input: Input<"ended">): PathTransition {
  if (state.name === "offline") return same(state);
  const { nowMs, problem } = input;
  const { restarts } = state;
  const again = input.mayPass && restarts < maxRestarts;
  const restartAtMs = again ? nowMs + pauseMs(restarts) : undefined;
  return {
    state: { name: "offline", restarts, sinceMs: nowMs, problem, restartAtMs },
    effects: [],
  };
}

function serving(state: Serving, input: PathInput, timeoutMs: number): PathTransition {
  const { restarts } = state;
  if (input.name === "flush-failed") {
    const { nowMs, problem } = input;
    return {
      state: quarantine(restarts, nowMs, { cause: "flush", problem, reads: true }),
      effects: ["admit-reads"],
    };
  }
  if (input.name !== "looked") return same(state);
  const { nowMs, stillMs, probeMs } = input;
  if (stillMs >= timeoutMs) {
    const problem = `its disk did not answer for ${Math.round(stillMs / 1000)} s`;
    return {
      state: quarantine(restarts, nowMs, { cause: "hang", problem, reads: false }),
      effects: ["abandon"],
    };
  }
  const stands = stillMs >= moveLimitMs(timeoutMs);
  const isLate = probeMs !== undefined && probeMs >= slowProbeMs;
  if (state.name === "slow") return slowPath(state, input, stands || isLate);
  const late = isLate ? state.late + 1 : probeMs === undefined ? state.late : 0;
  if (stands || late >= lateProbes) {
    return { state: { name: "slow", restarts, sinceMs: nowMs, prompt: 0 }, effects: [] };
  }
  const steady = restarts > 0 && nowMs - state.sinceMs >= steadyMs;
  if (late === state.late && !steady) return same(state);
  return { state: { ...state, late, restarts: steady ? 0 : restarts }, effects: [] };
}

function slowPath(
  state: Extract<PathState, { readonly name: "slow" }>,
  { nowMs, probeMs }: Input<"looked">,
  isStill: boolean,
): PathTransition {
  if (isStill) return { state: { ...state, prompt: 0 }, effects: ["expire"] };
  const prompt = state.prompt + (probeMs === undefined ? 0 : 1);
  if (prompt >= promptProbes) return good(state.restarts, nowMs);
  return { state: { ...state, prompt }, effects: ["expire"] };
}

function moveLimitMs(timeoutMs: number): number {
  return Math.min(slowStillMs, timeoutMs / 2);
}

function quarantine(
  restarts: number,
  nowMs: number,
  why: Pick<Quarantine, "cause" | "problem" | "reads">,
): Quarantine {
  const counts = { restarts, sinceMs: nowMs, failedChecks: 0, checkAtMs: nowMs };
  return { name: "quarantined", ...why, ...counts };
}

function inQuarantine(state: Quarantine, input: PathInput, timeoutMs: number): PathTransition {
  if (input.name === "checked" && state.name === "checking") return checked(state, input);
  if (input.name === "flush-failed" && state.cause === "hang") {
    return { state: { ...state, cause: "flush", problem: input.problem }, effects: [] };
  }
  if (input.name !== "looked") return same(state);
  const { nowMs, stillMs } = input;
  if (stillMs >= timeoutMs && state.reads) {
    return { state: { ...state, reads: false }, effects: ["abandon"] };
  }
  const moves = stillMs < moveLimitMs(timeoutMs);
  if (!moves || state.name === "checking" || nowMs < state.checkAtMs) return same(state);
  return { state: { ...state, name: "checking" }, effects: ["check"] };
}

function checked(state: Quarantine, { nowMs, problem }: Input<"checked">): PathTransition {
  const { restarts, failedChecks } = state;
  if (problem === undefined) {
    // A worker that could only read opens the path anew, and settles what an interrupted run left.
    if (state.cause !== "read-only") return good(restarts, nowMs);
    return { state: { name: "opening", restarts }, effects: ["restart"] };
  }
  return {
    state: {
      ...state,
      name: "quarantined",
      problem,
      reads: true,
      failedChecks: failedChecks + 1,
      checkAtMs: nowMs + pauseMs(failedChecks),
    },
    effects: state.reads ? [] : ["admit-reads"],
  };
}

function pauseMs(before: number): number {
  return Math.min(maxPauseMs, firstPauseMs * 2 ** before);
}
