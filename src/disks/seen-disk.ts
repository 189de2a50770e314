/** What was found where a disk of a node may be, and who finds it. Types only. */
import type { Passport } from "#disks/passport.ts";

/** One place of the passport: the file system of a partition, or of a whole device. */
export interface SeenDisk {
  /** Tells this plugging of it from every other one: `sda1:17`, or the directory where it is mounted. */
  readonly place: string;
  /** For people: `/dev/sda1`, or a directory. */
  readonly name: string;
  /** Undefined where it is not mounted. */
  readonly mountPoint: string | undefined;
  readonly passport:
    | { readonly kind: "genuine"; readonly passport: Passport }
    /** There is one, and it says nothing that could be believed; why, in words. */
    | { readonly kind: "unreadable"; readonly why: string }
    /** It did not answer in time: nothing is known of it. */
    | { readonly kind: "silent" };
}

/** Finds the disks that carry a passport. */
export interface DiskFinder {
  /** In bounded time; what does not answer is left out, and the finder says so in the log. */
  find(): Promise<readonly SeenDisk[]>;
  /** There was something that `find` could not look into, and may when it is tried again. */
  readonly isIncomplete?: boolean;
  /** Mounts one, `readOnly` so that nothing of it changes; resolves to where. Rejects with what the root helper says. */
  mount?(disk: SeenDisk, readOnly?: boolean): Promise<string>;
  /** Nothing uses what is mounted there any more. Rejects as `mount` does. */
  release?(mountPoint: string): Promise<void>;
}
