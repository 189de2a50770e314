/** What the mover's thread is told at its start, and what it posts. Types and the layout of the shared word only. */
import type { FileStoreErrorCode } from "#filestore/errors.ts";

/** A file that is put in its place as a whole, for its owner only. */
export interface WrittenFile {
  readonly path: string;
  readonly text: string;
}

export type MoveJob =
  /** Passes over the files while the path is served, until little is left. */
  | { readonly kind: "copy"; readonly source: string; readonly target: string }
  /** One pass over everything. Nobody else uses the path. */
  | { readonly kind: "copy-rest"; readonly source: string; readonly target: string }
  /** The copy gets the path's own name; then each file is written, in this order, and what is no more is removed. */
  | {
      readonly kind: "commit";
      readonly target: string;
      readonly files: readonly WrittenFile[];
      readonly removed: readonly string[];
    }
  | { readonly kind: "write"; readonly files: readonly WrittenFile[] }
  /** Makes the directory of a new store path, where it is not there. */
  | { readonly kind: "make"; readonly directory: string }
  /** Deletes the directory, at a pace, under another name from the first moment on. */
  | { readonly kind: "delete"; readonly directory: string };

export interface MoverThreadData {
  readonly job: MoveJob;
  /** See `moverWord`. */
  readonly words: SharedArrayBuffer;
}

export const moverWord = {
  /** 1: it is to end. Woken for. */
  stop: 0,
  /** 1: others wait for one of the two disks. */
  busy: 1,
} as const;
export const moverWords = 2;

export interface MoveTally {
  /** Seen at the source, in the present pass. */
  readonly files: number;
  readonly bytes: number;
  /** Copied since the thread began. */
  readonly copiedFiles: number;
  readonly copiedBytes: number;
  readonly passes: number;
}

export interface MoveFindings {
  /** Places below `data` that the source's disk did not give. */
  readonly unreadable: readonly string[];
  /** All of them, also those that are not named. */
  readonly unreadableTotal: number;
  /** Places whose content is not what the names say: copied as they are. */
  readonly rotten: readonly string[];
}

export type MoverPost =
  | { readonly post: "progress"; readonly tally: MoveTally }
  | { readonly post: "done"; readonly tally: MoveTally; readonly findings: MoveFindings }
  | { readonly post: "stopped" }
  | {
      readonly post: "failed";
      readonly code: FileStoreErrorCode | "mover-failed";
      readonly message: string;
    };

/** The name of a copy that is not whole, and of a directory that is to be deleted, beside a store path's own. */
export function unfinishedOf(directory: string): string {
  return `${directory}.moving`;
}

export function deletedOf(directory: string): string {
  return `${directory}.moved`;
}
