/** What people are told about a store path that is not simply well: in the status, and in the log whenever it changes. Pure, but for the log that is passed in. */
import type { Log } from "#base/log.ts";
import type { StorePathReport } from "#filestore/file-store.ts";
import type { PathState, Quarantine, QuarantineCause } from "#filestore/path-machine.ts";
import type { StorePathSettings } from "#filestore/settings.ts";

export function reportedState(state: PathState): StorePathReport["state"] {
  switch (state.name) {
    case "good":
      return "online";
    case "quarantined":
    case "checking":
      return state.cause === "read-only" ? "read-only" : state.name;
    case "absent":
      return "offline";
    default:
      return state.name;
  }
}

const advice: Readonly<Record<QuarantineCause, string>> = {
  hang: "look at the kernel's log, the disk and its cable",
  flush: "look at the kernel's log and at the disk",
  "read-only": "remount it for writing; then it is taken for writing within minutes",
};

/** What is wrong and what to do, to complete "it is …"; undefined where all is well. */
export function describePath(state: PathState): string | undefined {
  switch (state.name) {
    case "good":
      return undefined;
    case "slow":
      return "its disk answers slowly, so new files go to other paths where there are any: look at its load and its health";
    case "quarantined":
    case "checking":
      return `${state.problem}; ${served(state)}: ${advice[state.cause]}`;
    case "opening":
      return "its disk has not answered since the start, or there is much to recover";
    case "absent":
      return state.problem;
    case "offline":
      return `${state.problem}${state.restartAtMs === undefined ? "; restart the node when that is mended" : "; it is tried again by itself"}`;
  }
}

function served(state: Quarantine): string {
  if (state.reads)
    return "its files are served, and nothing is stored there until a check finds it well";
  return "nothing of it is served until it answers and a check finds it well";
}

/** Logs a change that people should see; false where it is none. */
export function announcePath(
  log: Log,
  { index, directory }: Pick<StorePathSettings, "index" | "directory">,
  change: { readonly before: PathState; readonly state: PathState },
): boolean {
  const { before, state } = change;
  const where = { path: index, directory };
  switch (state.name) {
    case "good":
      if (before.name === "good" || before.name === "opening") return before.name === "opening";
      log.notice(before.name === "slow" ? "store-path-prompt-again" : "store-path-back", where);
      return true;
    case "slow":
      if (before.name === "slow") return false;
      log.warn("store-path-slow", where);
      return true;
    case "checking":
      if (before.name === "checking") return before.reads !== state.reads;
      log[state.failedChecks === 0 ? "notice" : "debug"]("store-path-checking", where);
      return true;
    case "quarantined":
      return announceQuarantine(log, where, { before, state });
    case "opening":
      return before.name !== "opening";
    case "offline":
      announceOffline(log, where, state);
      return true;
    case "absent":
      return before.name !== "absent";
  }
}

function announceQuarantine(
  log: Log,
  where: Readonly<Record<string, unknown>>,
  { before, state }: { readonly before: PathState; readonly state: Quarantine },
): boolean {
  const { problem: why, reads } = state;
  const known = before.name === "quarantined" || before.name === "checking";
  if (!known) {
    const event = state.cause === "read-only" ? "store-path-read-only" : "store-path-quarantined";
    log.error(event, { ...where, why, reads });
    return true;
  }
  if (before.problem !== why) log.warn("store-path-check-failed", { ...where, why });
  return before.name !== state.name || before.problem !== why || before.reads !== reads;
}

function announceOffline(
  log: Log,
  where: Readonly<Record<string, unknown>>,
  state: Extract<PathState, { readonly name: "offline" }>,
): void {
  const { problem: why, restarts, restartAtMs, sinceMs } = state;
  if (restartAtMs === undefined) log.error("store-path-given-up", { ...where, why, restarts });
  else log.warn("store-path-restarts", { ...where, why, inMs: restartAtMs - sinceMs });
}
