/**
 * What a tracker thinks of a storage, and which way its data may flow (protocol §1.2, §6.6). The numbers are FastDFS's, on the
 * wire and in files; their order matters where views of two trackers are merged.
 */

export const storageStatus = {
  init: 0,
  waitSync: 1,
  syncing: 2,
  ipChanged: 3,
  deleted: 4,
  offline: 5,
  online: 6,
  active: 7,
  recovery: 9,
  none: 99,
} as const;

export type StorageStatusName = keyof typeof storageStatus;
export type StorageStatus = (typeof storageStatus)[StorageStatusName];

const names: ReadonlyMap<number, StorageStatusName> = new Map(
  (Object.entries(storageStatus) as [StorageStatusName, StorageStatus][]).map(([name, status]) => [
    status,
    name,
  ]),
);

const captions: Readonly<Record<StorageStatusName, string>> = {
  init: "INIT",
  waitSync: "WAIT_SYNC",
  syncing: "SYNCING",
  ipChanged: "IP_CHANGED",
  deleted: "DELETED",
  offline: "OFFLINE",
  online: "ONLINE",
  active: "ACTIVE",
  recovery: "RECOVERY",
  none: "NONE",
};

export function isStorageStatus(value: number): value is StorageStatus {
  return names.has(value);
}

/** FastDFS's word for a status, such as `WAIT_SYNC`. */
export function storageStatusCaption(status: StorageStatus): string {
  const name = names.get(status);
  return name === undefined ? String(status) : captions[name];
}

/** 2 is the permission to write, 4 the one to read. */
export const readWriteMode = { none: 0, write: 2, read: 4, both: 6 } as const;

export type ReadWriteModeName = keyof typeof readWriteMode;
export type ReadWriteMode = (typeof readWriteMode)[ReadWriteModeName];

const modeNames: ReadonlyMap<number, ReadWriteModeName> = new Map(
  (Object.entries(readWriteMode) as [ReadWriteModeName, ReadWriteMode][]).map(([name, mode]) => [
    mode,
    name,
  ]),
);

const modeWords: ReadonlyMap<string, ReadWriteMode> = new Map([
  ["none", readWriteMode.none],
  ["read", readWriteMode.read],
  ["readonly", readWriteMode.read],
  ["write", readWriteMode.write],
  ["writeonly", readWriteMode.write],
  ["both", readWriteMode.both],
  ["all", readWriteMode.both],
]);

export function isReadWriteMode(value: number): value is ReadWriteMode {
  return modeNames.has(value);
}

export function readWriteModeName(mode: ReadWriteMode): ReadWriteModeName {
  return modeNames.get(mode) ?? "none";
}

/** The words of storage ids files, in any case (protocol §9.6); undefined when it is none. */
export function parseReadWriteMode(text: string): ReadWriteMode | undefined {
  return modeWords.get(text.toLowerCase());
}

export function isReadable(mode: ReadWriteMode): boolean {
  return (mode & readWriteMode.read) !== 0;
}

export function isWritable(mode: ReadWriteMode): boolean {
  return (mode & readWriteMode.write) !== 0;
}
