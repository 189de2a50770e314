/**
 * Databases on a simulated disk: SQLite in memory, whose files are images that outlive the process. The end of a process loses
 * nothing that was committed; the loss of power loses relaxed commits from some point on, never a flushed one, and tears nothing.
 */
import SqliteDatabase from "better-sqlite3";
import type {
  Database,
  Databases,
  Durability,
  SqlRow,
  SqlValue,
  Statement,
} from "#platform/databases.ts";
import type { Life } from "./world.ts";
import { oneIn, type World } from "./world.ts";

/** How often, in relaxed commits, the log is brought to the disk by itself. */
const checkpointOneIn = 8;

/** The files of one disk, by path. */
export class DatabaseDisk {
  readonly #world: World;
  readonly #images = new Map<string, Buffer>();
  readonly #open = new Map<string, SimulatedDatabase>();

  constructor(world: World) {
    this.#world = world;
  }

  open(path: string, life: Life): Database {
    if (path === ":memory:") {
      return new SimulatedDatabase(this.#world, life, { image: undefined, onClose: () => {} });
    }
    if (this.#open.has(path)) throw new Error(`${path} is open twice`);
    const database = new SimulatedDatabase(this.#world, life, {
      image: this.#images.get(path),
      onClose: (image) => {
        this.#images.set(path, image);
        this.#open.delete(path);
      },
    });
    this.#open.set(path, database);
    return database;
  }

  processEnded(): void {
    for (const database of [...this.#open.values()]) database.close();
  }

  powerLost(): void {
    for (const database of [...this.#open.values()]) database.losePower();
  }

  wipe(): void {
    this.processEnded();
    this.#images.clear();
  }
}

export class SimulatedDatabases implements Databases {
  readonly #disk: DatabaseDisk;
  readonly #life: Life;

  constructor(disk: DatabaseDisk, life: Life) {
    this.#disk = disk;
    this.#life = life;
  }

  open(path: string): Database {
    return this.#disk.open(path, this.#life);
  }
}

interface DatabaseFile {
  readonly image: Buffer | undefined;
  readonly onClose: (image: Buffer) => void;
}

class SimulatedDatabase implements Database {
  readonly #world: World;
  readonly #handle: SqliteDatabase.Database;
  readonly #life: Life;
  readonly #onClose: (image: Buffer) => void;
  /** What a loss of power would leave; undefined where that is everything. */
  #durable: Buffer | undefined;
  #closed = false;

  constructor(world: World, life: Life, file: DatabaseFile) {
    const { image } = file;
    this.#world = world;
    this.#life = life;
    this.#onClose = file.onClose;
    this.#handle = image === undefined ? new SqliteDatabase(":memory:") : new SqliteDatabase(image);
    this.#handle.pragma("foreign_keys = ON");
  }

  prepare<Row extends SqlRow>(sql: string): Statement<Row> {
    const statement = this.#handle.prepare<SqlValue[], Row>(sql);
    return {
      run: (...values) => {
        this.#requireLife();
        return statement.run(...values).changes;
      },
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
    };
  }

  execute(sql: string): void {
    this.#requireLife();
    this.#handle.exec(sql);
  }

  transaction<T>(durability: Durability, work: () => T): T {
    this.#requireLife();
    if (durability === "relaxed") {
      if (this.#durable === undefined || oneIn(this.#world.random, checkpointOneIn)) {
        this.#durable = this.#handle.serialize();
      }
    }
    const result = this.#handle.transaction(work)();
    if (durability === "flushed") this.#durable = undefined;
    return result;
  }

  serialize(): Uint8Array {
    return this.#handle.serialize();
  }

  get changes(): number {
    return this.#handle.prepare("SELECT total_changes()").pluck().get() as number;
  }

  get version(): number {
    return this.#handle.pragma("user_version", { simple: true }) as number;
  }

  set version(number: number) {
    this.#handle.pragma(`user_version = ${Math.trunc(number)}`);
  }

  close(): void {
    if (this.#closed) return;
    this.#end(this.#handle.serialize());
  }

  losePower(): void {
    if (this.#closed) return;
    const keeps = this.#durable === undefined || oneIn(this.#world.random, 2);
    this.#end(keeps ? this.#handle.serialize() : (this.#durable ?? this.#handle.serialize()));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(image: Buffer): void {
    this.#closed = true;
    this.#handle.close();
    this.#onClose(image);
  }

  #requireLife(): void {
    if (this.#life.ended) throw new Error("the process that opened this database has ended");
  }
}
