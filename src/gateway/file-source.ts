/**
 * What the gateway needs of files, in its own words. `daemon/compose.ts` passes in what satisfies it: the store of this node,
 * and with replication a source that asks peers where the file is not here.
 */
import type { GroupName } from "#model/group-name.ts";
import type { ByteFlow, ByteSource } from "#net/byte-flow.ts";

/** A file of some group by its logical name, whose form has been checked. */
export interface FileAddress {
  readonly group: GroupName;
  readonly name: string;
}

export interface StoredFacts {
  readonly sizeBytes: number;
  readonly modifiedSeconds: number;
}

export interface StoredFile extends StoredFacts {
  /** The range that was asked for. */
  readonly body: ByteSource;
}

export interface StoredRange {
  readonly offset: number;
  /** At least 1; clipped at the end of the file. */
  readonly length: number;
}

export interface NewFile {
  readonly extension: string;
  readonly kind: "normal" | "appender";
}

export interface NewSlave {
  readonly master: FileAddress;
  readonly prefix: string;
  readonly extension: string;
}

/** Rejections are `AppError<FileStoreErrorCode>`; absence is undefined or false. */
export interface FileSource {
  facts(address: FileAddress): Promise<StoredFacts | undefined>;
  /** Without a range the whole file. */
  open(address: FileAddress, range?: StoredRange): Promise<StoredFile | undefined>;
  /** CRC-32 of the content, which may have to be read whole. */
  checksum(address: FileAddress): Promise<number | undefined>;
  /** False where no files of this group can be stored. */
  takesUploads(group: GroupName): boolean;
  /** Resolves to the new logical name once the content is as durable as the settings promise. */
  upload(group: GroupName, file: NewFile, body: ByteFlow): Promise<string>;
  /** Undefined where there is no such master. */
  uploadSlave(slave: NewSlave, body: ByteFlow): Promise<string | undefined>;
  remove(address: FileAddress): Promise<boolean>;
  /** The metadata text; empty for a file that has none. */
  metadata(address: FileAddress): Promise<Uint8Array | undefined>;
  /** False where there is no such file. */
  setMetadata(
    address: FileAddress,
    mode: "overwrite" | "merge",
    text: Uint8Array,
  ): Promise<boolean>;
}
