/** The disk map in state.sqlite. Main thread; never on the path of a request. */
import type { DiskMap, DiskRole, KnownDisk, KnownDiskPath } from "#disks/disk-map.ts";
import { DiskId } from "#model/disk-id.ts";
import type { Database, Statement } from "#platform/databases.ts";

type DiskRow = { readonly disk: string; readonly role: string; readonly seen_at: number };
type PathRow = {
  readonly disk: string;
  readonly store_path: number;
  readonly id: string | null;
  readonly directory: string;
  readonly moves: number;
};

const roles: readonly string[] = ["store", "adopting", "replaced"];

export class DiskTable implements DiskMap {
  readonly #database: Database;
  readonly #disks: Statement<DiskRow>;
  readonly #paths: Statement<PathRow>;
  readonly #saveDisk: Statement;
  readonly #clearPaths: Statement;
  readonly #savePath: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#disks = database.prepare("SELECT disk, role, seen_at FROM disks ORDER BY disk");
    this.#paths = database.prepare(
      "SELECT disk, store_path, id, directory, moves FROM disk_paths ORDER BY store_path",
    );
    this.#saveDisk = database.prepare(
      "INSERT OR REPLACE INTO disks (disk, role, seen_at) VALUES (?, ?, ?)",
    );
    this.#clearPaths = database.prepare("DELETE FROM disk_paths WHERE disk = ?");
    this.#savePath = database.prepare(
      "INSERT INTO disk_paths (disk, store_path, id, directory, moves) VALUES (?, ?, ?, ?, ?)",
    );
  }

  load(): readonly KnownDisk[] {
    const paths = this.#paths.all();
    // A role of a newer release is nothing that this one may serve.
    return this.#disks.all().map(({ disk, role, seen_at: seenAt }) => ({
      diskId: DiskId(disk),
      role: roles.includes(role) ? (role as DiskRole) : "replaced",
      seenAt,
      paths: paths.filter((path) => path.disk === disk).map(pathOf),
    }));
  }

  save({ diskId, role, paths, seenAt }: KnownDisk): void {
    this.#database.transaction("flushed", () => {
      this.#saveDisk.run(diskId, role, seenAt);
      this.#clearPaths.run(diskId);
      for (const { index, id, directory, moves = 0 } of paths) {
        this.#savePath.run(diskId, index, id ?? null, directory, moves);
      }
    });
  }
}

function pathOf({ store_path: index, id, directory, moves }: PathRow): KnownDiskPath {
  return { index, id: id ?? undefined, directory, ...(moves > 0 ? { moves } : {}) };
}
