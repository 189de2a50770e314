/**
 * The way of a store path from one disk to another, as a pure machine: its owner (`daemon/store-path-moves.ts`) performs the effects one
 * after the other, and tells how each ended. A kill is possible anywhere: `found` is where the next run begins. Before `committing` the
 * source has the path and nothing is lost by beginning again; in it, the passports decide; afterwards the target has it for good.
 */
import type { MovePhase, MovePurpose } from "#disks/moves/store-path-move.ts";

export interface MoveState {
  readonly phase: MovePhase;
  readonly problem: string | undefined;
}

export type MoveInput =
  /** It is its turn. */
  | { readonly name: "begin" }
  /** A copy came to its end; `unreadable` files are not there. */
  | { readonly name: "copied"; readonly unreadable: number }
  /** The path was taken out of service. */
  | { readonly name: "taken" }
  /** Both passports say it. */
  | { readonly name: "committed" }
  /** Clients are served from the path again, or it was seen why not. */
  | { readonly name: "served" }
  | { readonly name: "cleaned" }
  /** An effect did not work out. */
  | { readonly name: "failed"; readonly why: string }
  /** At a start, and after a failure: which disk has the path by the passports. */
  | { readonly name: "found"; readonly at: "source" | "target" | "neither" }
  | { readonly name: "cancel" }
  /** The target was lost in the middle of the commit, and somebody says that it is to count for nothing, should it ever come back. */
  | { readonly name: "abandon" }
  | { readonly name: "reclaimed" };

export type MoveEffect =
  /** Passes over all files, until little is left. */
  | "copy"
  /** Nobody is served from the path any more. */
  | "take"
  /** One more pass, in which nothing changes, and all of it onto the disk. */
  | "copy-rest"
  | "commit"
  /** The path is served again, from where the passports say. */
  | "serve"
  /** The source's directory goes. */
  | "clean"
  /** What was copied goes. */
  | "discard"
  /** The source's passport outdoes whatever the target's says. */
  | "reclaim";

export interface MoveTransition {
  readonly state: MoveState;
  /** In their order. */
  readonly effects: readonly MoveEffect[];
}

export interface MoveRules {
  readonly purpose: MovePurpose;
  readonly leavesUnreadable: boolean;
}

export function transition(state: MoveState, input: MoveInput, rules: MoveRules): MoveTransition {
  if (input.name === "found") return found(state, input.at);
  if (input.name === "cancel") return cancelled(state);
  if (input.name === "abandon") {
    return state.phase === "committing" ? { state, effects: ["reclaim"] } : same(state);
  }
  if (input.name === "failed") return failed(state, input.why);
  switch (state.phase) {
    case "waiting":
      return input.name === "begin" ? go("copying", ["copy"]) : same(state);
    case "copying":
      return input.name === "copied" ? copied(input.unreadable, rules) : same(state);
    case "switching":
      if (input.name === "taken") return { state, effects: ["copy-rest"] };
      return input.name === "copied" ? copiedAll(input.unreadable, rules) : same(state);
    case "committing":
      if (input.name === "reclaimed") return go("cancelled", ["serve"]);
      if (input.name === "committed") return go("committing", ["serve"]);
      return input.name === "served" ? arrived(rules) : same(state);
    case "cleaning":
      return input.name === "cleaned" ? go("done", []) : same(state);
    case "done":
    case "cancelled":
      return same(state);
  }
}

function same(state: MoveState): MoveTransition {
  return { state, effects: [] };
}

function go(phase: MovePhase, effects: readonly MoveEffect[], problem?: string): MoveTransition {
  return { state: { phase, problem }, effects };
}

function isRefused(unreadable: number, { leavesUnreadable }: MoveRules): boolean {
  return unreadable > 0 && !leavesUnreadable;
}

function copied(unreadable: number, rules: MoveRules): MoveTransition {
  if (isRefused(unreadable, rules)) return go("copying", [], unreadableWords(unreadable));
  return go("switching", ["take"]);
}

function copiedAll(unreadable: number, rules: MoveRules): MoveTransition {
  if (isRefused(unreadable, rules)) return go("copying", ["serve"], unreadableWords(unreadable));
  return go("committing", ["commit"]);
}

function arrived({ purpose }: MoveRules): MoveTransition {
  return purpose === "retire" ? go("done", []) : go("cleaning", ["clean"]);
}

function failed(state: MoveState, why: string): MoveTransition {
  switch (state.phase) {
    case "copying":
      return go("copying", [], why);
    case "switching":
      return go("copying", ["serve"], why);
    default:
      return { state: { ...state, problem: why }, effects: [] };
  }
}

function found(state: MoveState, at: "source" | "target" | "neither"): MoveTransition {
  switch (state.phase) {
    case "copying":
    case "switching":
      if (at === "source") return go("copying", ["copy"]);
      return go("copying", [], "one of the two disks is not there: plug it in");
    case "committing":
      if (at === "target") return go("committing", ["serve"]);
      if (at === "source") return go("copying", ["serve", "copy"]);
      return go("committing", [], "one of the two disks is not there: plug it in");
    case "cleaning":
      return at === "target" ? go("cleaning", ["clean"]) : same(state);
    default:
      return same(state);
  }
}

function cancelled(state: MoveState): MoveTransition {
  switch (state.phase) {
    case "waiting":
    case "copying":
      return go("cancelled", ["discard"]);
    case "switching":
      return go("cancelled", ["serve", "discard"]);
    default:
      return same(state);
  }
}

function unreadableWords(unreadable: number): string {
  const files = unreadable === 1 ? "one file" : `${unreadable} files`;
  return `${files} could not be read: had from a peer where one has it, and tried again; "cairn disk moves --leave-unreadable" goes on without`;
}
