/** What copying whole directories needs of files beside `Files`: times to the nanosecond, and setting them. Synchronous, for a thread of its own. */
import type { FileDescriptor, FileStat, Files } from "#platform/files.ts";

export interface MoveFacts {
  readonly kind: FileStat["kind"];
  readonly sizeBytes: number;
  /** Less than its size where it has holes. */
  readonly allocatedBytes: number;
  /** Nanoseconds since 1970. */
  readonly modifiedNs: bigint;
  /** When anything about it changed last; nobody can set it. */
  readonly changedNs: bigint;
  readonly inode: number;
  readonly links: number;
  /** Nobody but its owner may read it. */
  readonly forOwner: boolean;
}

export interface MoveFiles extends Files {
  /** Undefined where nothing is. Symbolic links are not followed. Throws `FileError`. */
  facts(path: string): MoveFacts | undefined;
  factsOf(descriptor: FileDescriptor): MoveFacts;
  /** As near as the system lets it be set: to less than a microsecond, and whole seconds exactly. */
  setModifiedNs(descriptor: FileDescriptor, modifiedNs: bigint): void;
}
