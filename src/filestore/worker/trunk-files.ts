/** Names and places of the files around a trunk binlog (protocol §4.6, §5.1). Worker thread. */
import { fileStoreError } from "#filestore/errors.ts";
import type { Files } from "#platform/files.ts";

const markName = /^[A-Za-z0-9._:-]{1,100}\.mark$/;
const backupName = /^binlog\.\d{14}$/;

export class TrunkFiles {
  readonly trunk: string;
  readonly binlog: string;
  /** The binlog from before a compression. */
  readonly binlogRollback: string;
  readonly binlogTmp: string;
  readonly snapshot: string;
  /** How far a compression has come. */
  readonly stage: string;
  /** The directory of it. */
  readonly own: string;

  constructor(data: string, own: string) {
    this.own = own;
    this.trunk = `${data}/trunk`;
    this.binlog = `${this.trunk}/binlog`;
    this.binlogRollback = `${this.binlog}.rollback`;
    this.binlogTmp = `${this.binlog}.tmp`;
    this.snapshot = `${data}/storage_trunk.dat`;
    this.stage = `${own}/trunk-compression`;
  }

  /** Throws `file-invalid` for a name that is none of them. */
  named(name: string): string {
    if (name === "binlog") return this.binlog;
    if (name === "snapshot") return this.snapshot;
    if (name === "owed") return `${this.own}/trunk-owed`;
    if (markName.test(name)) return `${this.trunk}/${name}`;
    throw fileStoreError("file-invalid", `"${name.slice(0, 120)}" is no file of a trunk binlog`);
  }

  removeMarks(files: Files): void {
    for (const name of files.list(this.trunk) ?? []) {
      if (markName.test(name)) files.remove(`${this.trunk}/${name}`);
    }
  }

  /** Keeps the file `path`, which must lie in `trunk`, as the newest backup, and no more than `maxBackups`. */
  backUp(
    files: Files,
    path: string,
    how: { readonly maxBackups: number; readonly nowSeconds: number },
  ): void {
    const time = new Date(how.nowSeconds * 1000).toISOString().replace(/\D/g, "").slice(0, 14);
    files.rename(path, `${this.binlog}.${time}`);
    const backups = (files.list(this.trunk) ?? []).filter((name) => backupName.test(name)).sort();
    const surplus = backups.slice(0, Math.max(0, backups.length - how.maxBackups));
    for (const name of surplus) files.remove(`${this.trunk}/${name}`);
  }
}
