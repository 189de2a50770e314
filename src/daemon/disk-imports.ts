/**
 * Imports of foreign disks: one at a time, each read by a child process that stores what it reads in the node's own storage. What there is to
 * do is noted below data_dir, so that it goes on after a restart. Main thread.
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { AppError, describeError } from "#base/app-error.ts";
import { ignore, type Log } from "#base/log.ts";
import {
  flag,
  list,
  optional,
  readShape,
  record,
  type ShapeValue,
  text,
  wholeNumber,
} from "#base/schema.ts";
import { LineSplitter } from "#control/control-wire.ts";
import type { ShownImport } from "#control/operations/disk-imports.ts";
import {
  type ImportJob,
  type ImportNews,
  maxImportLineBytes,
  parseImportNews,
} from "#filestore/import/import-messages.ts";
import { GroupName } from "#model/group-name.ts";
import type { Child, Children } from "#platform/children.ts";
import { type Clock, delay, type Timer } from "#platform/clock.ts";
import type { Host } from "#platform/host.ts";

const word = text({ maxLength: 300 });
const path = text({ maxLength: 4096 });
const noteShape = record({
  /** Left out of a directory. */
  disk: optional(word),
  /** Of a disk relative to where it is mounted. */
  paths: list(record({ directory: path, index: wholeNumber({ max: 255 }) }), { max: 256 }),
  group: word,
  done: flag(),
});
type Note = ShapeValue<typeof noteShape>;

/** A foreign disk that is to be read. */
export interface ForeignDisk {
  readonly group: string;
  readonly paths: readonly { readonly directory: string; readonly index: number }[];
}

/** What fails is tried again so often, since a store path may be opening, or a disk be looked for. */
const maxTries = 5;
const retryMs = 3000;
/** The child says how far it is all the time, and not while a read hangs: a bad disk takes minutes for one. */
const silenceLimitMs = 10 * 60_000;

export interface DiskImportsParts {
  readonly clock: Clock;
  readonly host: Pick<Host, "readText" | "replaceFile" | "makeDirectory" | "listDirectory">;
  readonly children: Pick<Children, "startSelf"> | undefined;
  readonly log: Log;
  /** Below data_dir. */
  readonly directory: string;
  /** Directories that a node serves. */
  readonly served: () => readonly string[];
  /** Where files are stored; undefined while nothing can be. */
  readonly storage: () =>
    | { readonly address: string; readonly port: number; readonly group: string }
    | undefined;
  /** Rejects where there is none of that id that waits for a yes. */
  readonly foreignDisk: (diskId: string) => ForeignDisk;
  /** Reads only; resolves to where it is mounted, and what ends that. */
  readonly mount: (
    diskId: string,
  ) => Promise<{ readonly mountPoint: string; readonly release: () => Promise<void> }>;
  /** Names that this node gave to files since then, Unix seconds. */
  readonly namesSince: (seconds: number) => Promise<readonly string[]>;
}

interface State {
  readonly note: Note;
  state: ShownImport["state"];
  problem: string | undefined;
  files: number;
  bytes: number;
  left: number;
  leftNames: readonly string[];
}

export class DiskImports {
  readonly #parts: DiskImportsParts;
  readonly #known = new Map<string, State>();
  #running: { readonly id: string; child: Child | undefined } | undefined;
  #stopped = false;

  constructor(parts: DiskImportsParts) {
    this.#parts = parts;
  }

  /** What was under way when the node ended goes on. */
  start(): void {
    const { host, directory, log } = this.#parts;
    for (const name of host.listDirectory(directory)) {
      const id = /^([0-9a-f]{32})\.json$/.exec(name)?.[1];
      if (id === undefined) continue;
      try {
        const json: unknown = JSON.parse(host.readText(posix.join(directory, name)) ?? "");
        const note = readShape(noteShape, json, { what: name, surplus: "drop" });
        this.#known.set(id, stateOf(note, note.done ? "done" : "waiting"));
      } catch (error) {
        log.warn("import-forgotten", { note: name, why: describeError(error) });
      }
    }
    this.#next();
  }

  stop(): void {
    this.#stopped = true;
    this.#running?.child?.abandon();
  }

  get imports(): readonly ShownImport[] {
    return [...this.#known].map(([id, { note, ...state }]) => ({
      ...{ id, from: note.disk ?? note.paths[0]?.directory ?? "" },
      ...{ ...state, leftNames: [...state.leftNames] },
      lists: note.paths.map(({ index }) => this.#list(id, index)),
    }));
  }

  /** Of a disk that waits for a yes, whole. Throws what stands against it. */
  disk(diskId: string): string {
    const { group, paths } = this.#parts.foreignDisk(diskId);
    this.#begin(diskId, { disk: diskId, group, paths: [...paths], done: false });
    return diskId;
  }

  /** Of a directory on this machine. Throws what stands against it. */
  directory(directory: string, group: string, index: number): string {
    if (!posix.isAbsolute(directory)) {
      throw new AppError("not-allowed", `${directory} is no absolute path`);
    }
    GroupName(group);
    const plain = posix.normalize(directory).replace(/(?<=.)\/+$/, "");
    const isOwn = this.#parts
      .served()
      .some((each) => isWithin(plain, each) || isWithin(each, plain));
    if (isOwn) throw new AppError("not-allowed", `${directory} is served by this node`);
    const name = `${plain} ${group} ${index}`;
    const id = createHash("sha256").update(name).digest("hex").slice(0, 32);
    this.#begin(id, { disk: undefined, group, paths: [{ directory: plain, index }], done: false });
    return id;
  }

  #begin(id: string, note: Note): void {
    const { host, directory, children } = this.#parts;
    if (children === undefined) throw new AppError("not-allowed", "there are no processes here");
    if (this.#running?.id === id) return;
    host.makeDirectory(directory);
    this.#known.set(id, stateOf(note, "waiting"));
    this.#save(id, note);
    this.#next();
  }

  #next(): void {
    if (this.#running !== undefined || this.#stopped) return;
    const found = [...this.#known].find(([, { state }]) => state === "waiting");
    if (found === undefined) return;
    const [id, state] = found;
    this.#running = { id, child: undefined };
    const ended = this.#runTries(id, state).finally(() => {
      this.#running = undefined;
      this.#next();
    });
    ignore(ended, this.#parts.log, "it says why");
  }

  async #runTries(id: string, state: State): Promise<void> {
    const { log, clock } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#run(id, state);
        return;
      } catch (error) {
        state.problem = describeError(error);
        if (this.#stopped) return;
        log.warn("import-failed", { from: id, why: state.problem, tries });
        state.state = tries === maxTries ? "failed" : "waiting";
        if (tries === maxTries) return;
        await delay(clock, retryMs);
      }
    }
  }

  async #run(id: string, state: State): Promise<void> {
    const { log } = this.#parts;
    Object.assign(state, { state: "running", problem: undefined, files: 0, bytes: 0, left: 0 });
    const { disk } = state.note;
    const mounted = disk === undefined ? undefined : await this.#parts.mount(disk);
    try {
      for (const { directory, index } of state.note.paths) {
        const whole = mounted === undefined ? directory : posix.join(mounted.mountPoint, directory);
        await this.#runPath(id, state, {
          directory: whole,
          root: mounted?.mountPoint ?? whole,
          index,
        });
      }
    } finally {
      await mounted?.release().catch((error: unknown) => {
        log.notice("disk-not-released", { disk, why: describeError(error) });
      });
    }
    // A disk that was pulled gave nothing of what came then: whoever plugs it in has the rest.
    if (disk !== undefined) this.#parts.foreignDisk(disk);
    this.#save(id, { ...state.note, done: true });
    state.state = "done";
    const { files, bytes, left } = state;
    log.notice("import-done", { from: id, files, bytes, left });
  }

  async #runPath(
    id: string,
    state: State,
    {
      directory,
      root,
      index,
    }: { readonly directory: string; readonly root: string; readonly index: number },
  ): Promise<void> {
    const storage = this.#parts.storage();
    if (storage === undefined) throw new AppError("not-allowed", "this node stores no files");
    const { address, port, group: newGroup } = storage;
    const { group } = state.note;
    const listed = this.#list(id, index);
    const names = { directory, root, index, group, newGroup };
    const job = { ...names, list: listed, storage: { address, port } };
    const before = { files: state.files, bytes: state.bytes, left: state.left };
    await this.#child(job, (news) => {
      state.files = before.files + news.files;
      state.bytes = before.bytes + news.bytes;
      state.left = before.left + news.left;
      state.leftNames = news.leftNames;
    });
  }

  /** Resolves when it has done all; rejects with what it failed for. */
  #child(job: ImportJob, onNews: (news: ImportNews) => void): Promise<void> {
    const { children, namesSince, log, clock } = this.#parts;
    const child = children?.startSelf(["import"]);
    if (child === undefined) return Promise.reject(new AppError("not-allowed", "no processes"));
    if (this.#running !== undefined) this.#running.child = child;
    const lines = new LineSplitter(maxImportLineBytes);
    return new Promise((resolve, reject) => {
      let silence: Timer | undefined;
      // One that went on by itself would store what the next one stores as well.
      const failed = (why: string): void => {
        silence?.cancel();
        child.abandon();
        reject(new AppError("import-failed", why));
      };
      const listen = (): void => {
        silence?.cancel();
        silence = clock.after(silenceLimitMs, () => failed("the disk does not answer"));
      };
      const answer = (news: ImportNews): void => {
        onNews(news);
        if (news.kind === "done") {
          silence?.cancel();
          resolve();
        }
        if (news.kind === "failed") failed(news.why ?? "it does not say why");
        if (news.kind !== "interrupted") return;
        const told = namesSince(news.since ?? 0).then(
          (names) => child.write(`${JSON.stringify({ names })}\n`),
          (error: unknown) => failed(describeError(error)),
        );
        ignore(told, log, "the child waits until it is given up");
      };
      child.onOutput = (bytes) => {
        listen();
        try {
          for (const line of lines.push(bytes)) answer(parseImportNews(line));
        } catch (error) {
          failed(describeError(error));
        }
      };
      child.onEnd = failed;
      listen();
      child.write(`${JSON.stringify(job)}\n`);
    });
  }

  #list(id: string, index: number): string {
    return posix.join(this.#parts.directory, `${id}-${index}.list`);
  }

  #save(id: string, note: Note): void {
    const { host, directory } = this.#parts;
    host.replaceFile(posix.join(directory, `${id}.json`), `${JSON.stringify(note)}\n`);
  }
}

function stateOf(note: Note, state: State["state"]): State {
  return { note, state, problem: undefined, files: 0, bytes: 0, left: 0, leftNames: [] };
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}
