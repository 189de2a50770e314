/**
 * Every kind of change, each with what must be there before it, for tests that interrupt it at every call. Names and times are
 * reproducible, so that an undisturbed run tells what an interrupted one may leave.
 */
import type { StorePathSettings } from "#filestore/settings.ts";
import type { StorePathEngine } from "#filestore/worker/store-path-engine.ts";
import { commit, put, runSteps, stage } from "./engine-fixture.ts";

export interface EngineOperation {
  readonly name: string;
  /** Of the engine that it runs on. */
  readonly settings?: Partial<StorePathSettings>;
  /** Without flushes its record stands before there is anything of its file, so that a kill can undo it. */
  readonly isUnstaged?: boolean;
  /** Returns the names that `run` works on. */
  readonly prepare: (engine: StorePathEngine) => readonly string[];
  readonly run: (engine: StorePathEngine, names: readonly string[]) => unknown;
}

/** More than one step of copying. */
const long = Buffer.alloc(1024 * 1024 + 100_000, "long ");
const text = (content: string): Buffer => Buffer.from(content, "latin1");

const appender = (engine: StorePathEngine): readonly string[] => [
  put(engine, { kind: "appender", extension: "log" }, "0123456789"),
];
const normal = (engine: StorePathEngine): readonly string[] => [
  put(engine, { kind: "normal", extension: "txt" }, "a normal file"),
];
const described = (engine: StorePathEngine): readonly string[] => {
  const [name = ""] = normal(engine);
  commit(engine, engine.prepareMetadata(name, "overwrite", text("colour\x02red\x01size\x02small")));
  return [name];
};
const nothing = (): readonly string[] => [];

/** Without `pieces` as a whole that stays as it is. */
function creates(name: string, content: Uint8Array, pieces?: number): EngineOperation {
  const how = pieces === undefined ? { content } : { content, pieces };
  const run = (engine: StorePathEngine): void => {
    const target = { kind: "normal", extension: "jpg" } as const;
    commit(engine, stage(engine, target, how));
  };
  const isUnstaged = pieces === undefined || content.length === 0;
  return { name, isUnstaged, prepare: nothing, run };
}

function splices(name: string, content: Uint8Array, offset: number | undefined): EngineOperation {
  const run = (engine: StorePathEngine, [file = ""]: readonly string[]): void => {
    const target =
      offset === undefined
        ? ({ kind: "append", name: file } as const)
        : ({ kind: "modify", name: file, offset } as const);
    put(engine, target, content);
  };
  return { name, prepare: appender, run };
}

/** The same content once more, while others of its names are there. */
function shares(name: string, pieces: number): EngineOperation {
  const run = (engine: StorePathEngine): void => {
    const target = { kind: "normal", extension: "jpg" } as const;
    commit(engine, stage(engine, target, { content: "a normal file", pieces }));
  };
  return { name, settings: { dedup: true }, prepare: normal, run };
}

/** Which of two names of one content goes. */
function unshares(name: string, which: number): EngineOperation {
  return {
    name,
    settings: { dedup: true },
    prepare: (engine) => [...normal(engine), ...normal(engine)],
    run: (engine, names) => commit(engine, engine.prepareRemove(names[which] ?? "")),
  };
}

function links(name: string, prefix: string): EngineOperation {
  return {
    name,
    prepare: normal,
    run(engine, [source = ""]) {
      const master = prefix === "" ? "" : source;
      commit(engine, runSteps(engine.link({ source, extension: "lnk", prefix, master })));
    },
  };
}

export const engineOperations: readonly EngineOperation[] = [
  shares("create what is here, in one piece", 1),
  shares("create what is here, in pieces", 3),
  unshares("delete the first of two names", 0),
  unshares("delete the second of two names", 1),
  links("another name for a file", ""),
  links("another name for a file, as a slave", "_link"),
  creates("create in one piece", text("in one piece"), 1),
  creates("create as a whole", text("as a whole")),
  creates("create in pieces", text("in several pieces"), 3),
  creates("create empty", text(""), 1),
  {
    name: "create an appender file",
    prepare: nothing,
    run: (engine) => put(engine, { kind: "appender", extension: "" }, "begins"),
  },
  {
    name: "create a slave",
    prepare: normal,
    run: (engine, [master = ""]) =>
      put(engine, { kind: "slave", master, prefix: "_small", extension: "png" }, "a slave"),
  },
  {
    name: "create a slave again",
    prepare(engine) {
      const [master = ""] = normal(engine);
      const target = { kind: "slave", master, prefix: "_small", extension: "png" } as const;
      const slave = put(engine, target, "the first one");
      commit(engine, engine.prepareRemove(slave));
      return [master];
    },
    run: (engine, [master = ""]) =>
      put(engine, { kind: "slave", master, prefix: "_small", extension: "png" }, "the second"),
  },
  splices("append", text(" and more"), undefined),
  splices("append much", long, undefined),
  splices("modify inside", text("XYZ"), 3),
  splices("modify over the end", text("over the end"), 8),
  splices("modify much", long, 5),
  {
    name: "modify after a modification of the same place",
    prepare(engine) {
      const names = appender(engine);
      put(engine, { kind: "modify", name: names[0] ?? "", offset: 2 }, "ab");
      return names;
    },
    run: (engine, [name = ""]) => put(engine, { kind: "modify", name, offset: 2 }, "cd"),
  },
  {
    name: "truncate",
    prepare: appender,
    run: (engine, [name = ""]) => commit(engine, engine.prepareTruncate(name, 4)),
  },
  {
    name: "extend by zeros",
    prepare: appender,
    run: (engine, [name = ""]) => commit(engine, engine.prepareTruncate(name, 15)),
  },
  {
    name: "delete",
    prepare: normal,
    run: (engine, [name = ""]) => commit(engine, engine.prepareRemove(name)),
  },
  {
    name: "delete with metadata",
    prepare: described,
    run: (engine, [name = ""]) => commit(engine, engine.prepareRemove(name)),
  },
  {
    name: "regenerate",
    prepare: appender,
    run: (engine, [name = ""]) => commit(engine, runSteps(engine.regenerate(name))),
  },
  {
    name: "first metadata",
    prepare: normal,
    run: (engine, [name = ""]) =>
      commit(engine, engine.prepareMetadata(name, "overwrite", text("shape\x02round"))),
  },
  {
    name: "other metadata",
    prepare: described,
    run: (engine, [name = ""]) =>
      commit(engine, engine.prepareMetadata(name, "overwrite", text("shape\x02round"))),
  },
  {
    name: "merged metadata",
    prepare: described,
    run: (engine, [name = ""]) =>
      commit(engine, engine.prepareMetadata(name, "merge", text("shape\x02round\x01size\x02big"))),
  },
  {
    name: "no metadata any more",
    prepare: described,
    run: (engine, [name = ""]) =>
      commit(engine, engine.prepareMetadata(name, "overwrite", text(""))),
  },
];
