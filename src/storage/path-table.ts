/** The store paths of this node as state.sqlite remembers them. Main thread; never on the path of a request. */
import type { KnownPath, StorePathSettings } from "#filestore/settings.ts";
import type { Database, Statement } from "#platform/databases.ts";
import type { Random } from "#platform/random.ts";
import type { TablePrefix } from "#storage/storage-table.ts";

/** Of a path's id. */
const idBytes = 16;

export interface RememberedPath {
  /** Undefined until it was opened, and what there was to be done about it was noted. */
  readonly known: KnownPath | undefined;
  /** The id of the next disk that carries none. */
  readonly candidate: string;
}

export interface PathMemory {
  /** By the number of the store path. */
  load(): ReadonlyMap<number, RememberedPath>;
  save(storePathIndex: number, path: RememberedPath): void;
}

type Row = {
  readonly store_path: number;
  readonly id: string | null;
  readonly own_mount: number;
  readonly candidate: string;
};

export class PathTable implements PathMemory {
  readonly #database: Database;
  readonly #load: Statement<Row>;
  readonly #save: Statement;

  /** `tables` begins the table's name: a mirror's second half has one of its own. */
  constructor(database: Database, tables: TablePrefix = "storage") {
    this.#database = database;
    this.#load = database.prepare(
      `SELECT store_path, id, own_mount, candidate FROM ${tables}_paths`,
    );
    this.#save = database.prepare(
      `INSERT OR REPLACE INTO ${tables}_paths (store_path, id, own_mount, candidate) VALUES (?, ?, ?, ?)`,
    );
  }

  load(): ReadonlyMap<number, RememberedPath> {
    return new Map(
      this.#load.all().map(({ store_path: index, id, own_mount: mount, candidate }) => {
        const known = id === null ? undefined : { id, ownMount: mount !== 0 };
        return [index, { known, candidate }];
      }),
    );
  }

  save(storePathIndex: number, { known, candidate }: RememberedPath): void {
    this.#database.transaction("flushed", () => {
      const mount = known?.ownMount === true ? 1 : 0;
      this.#save.run(storePathIndex, known?.id ?? null, mount, candidate);
    });
  }
}

/** Remembers nothing. */
export const noPathMemory: PathMemory = { load: () => new Map(), save: () => {} };

/** By which the node is known under whatever address: the id of the first store path's disk; empty before it was opened. */
export function firstDiskId(memory: PathMemory): string {
  const [first] = [...memory.load()].sort(([one], [other]) => one - other);
  return first?.[1].known?.id ?? "";
}

/** Gives each store path what it is to be known by: what is remembered of it, and an id in case that it carries none. */
export function identifyPaths(
  memory: PathMemory,
  random: Random,
): (path: StorePathSettings) => StorePathSettings {
  const remembered = memory.load();
  return (path) => {
    const { known, candidate = "" } = remembered.get(path.index) ?? {};
    const isFree = candidate !== "" && candidate !== known?.id;
    const newId = isFree ? candidate : Buffer.from(random.bytes(idBytes)).toString("hex");
    // Noted before a disk can carry it: what a kill leaves is known again.
    if (!isFree) memory.save(path.index, { known, candidate: newId });
    return { ...path, identity: known === undefined ? { newId } : { newId, known } };
  };
}
