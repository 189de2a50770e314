/**
 * Goal: no command answers "no such file" for what a peer has. Method: each of them is tried on a file that is not here while the peer has
 * it, while nobody has it, and while nobody knows.
 */
import { expect, test } from "vitest";
import { fileStoreError } from "#filestore/errors.ts";
import type { FileStore } from "#filestore/file-store.ts";
import { type ByteFlow, collect, flowOfBytes, flowOfSource } from "#net/byte-flow.ts";
import { FetchingFileStore } from "#sync/fetching-file-store.ts";
import type { FetchResult } from "#sync/file-fetcher.ts";
import { MemoryFileStore } from "../../support/memory-file-store.ts";

class Stage {
  readonly here = new MemoryFileStore();
  readonly peer = new MemoryFileStore();
  readonly fetched: string[] = [];
  answer: FetchResult = "fetched";
  worthAsking = true;
  readonly files = new FetchingFileStore(this.here, {
    isWorthAsking: () => this.worthAsking,
    fetch: async (name) => {
      this.fetched.push(name);
      return this.answer === "fetched" ? this.#copy(name) : this.answer;
    },
  });

  #copy(name: string): FetchResult {
    const file = this.peer.files.get(name);
    const text = this.peer.metadata.get(name.slice(0, -2));
    if (file !== undefined) this.here.files.set(name, file);
    else if (text !== undefined) this.here.metadata.set(name.slice(0, -2), text);
    else return "missing";
    return "fetched";
  }

  /** An appender file that the peer alone has, with metadata. */
  async elsewhere(): Promise<string> {
    const request = { kind: "appender", extension: "log", storePathIndex: undefined } as const;
    const name = await this.peer.upload(request, flow("hello"));
    await this.peer.writeMetadata(name, "overwrite", Buffer.from("a\x021"));
    return name;
  }
}

function flow(text: string): ByteFlow {
  return flowOfBytes(Buffer.from(text));
}

const whole = { offset: 0, length: 0 };
const commands: Readonly<Record<string, (files: FileStore, name: string) => Promise<unknown>>> = {
  uploadSlave: (files, master) =>
    files.uploadSlave({ master, prefix: "_s", extension: "" }, flow("s")),
  link: (files, source) => files.link({ source, extension: "", slaveOf: undefined }),
  append: (files, name) => files.append(name, flow("more")),
  modify: (files, name) => files.modify(name, 1, flow("x")),
  truncate: (files, name) => files.truncate(name, 1),
  regenerate: (files, name) => files.regenerate(name),
  remove: (files, name) => files.remove(name),
  open: (files, name) => files.open(name, whole),
  facts: (files, name) => files.facts(name, { computeCrc: false }),
  readMetadata: (files, name) => files.readMetadata(name),
  overwriteMetadata: (files, name) => files.writeMetadata(name, "overwrite", Buffer.from("b\x022")),
  mergeMetadata: (files, name) => files.writeMetadata(name, "merge", Buffer.from("b\x022")),
};

test.each(Object.entries(commands))("%s of a file that a peer has", async (_name, command) => {
  const stage = new Stage();
  const name = await stage.elsewhere();
  await command(stage.files, name);
  expect(stage.fetched[0]).toBe(name);
  stage.fetched.length = 0;
  // What is here is not asked for.
  const own = await stage.elsewhere();
  stage.here.files.set(own, { content: Buffer.from("hello"), modifiedSeconds: 1 });
  stage.here.metadata.set(own, Buffer.from("a\x021"));
  await command(stage.files, own);
  expect(stage.fetched).toEqual([]);
});

test.each(
  Object.entries(commands),
)("%s of a file that nobody has, or nobody knows of", async (_name, command) => {
  const stage = new Stage();
  const name = await stage.elsewhere();
  stage.answer = "missing";
  await expect(command(stage.files, name)).rejects.toMatchObject({ code: "file-missing" });
  stage.answer = "unknown";
  await expect(command(stage.files, name)).rejects.toMatchObject({ code: "store-path-unready" });
  // Where it is clear that nobody has it, a body goes where it went without peers.
  stage.worthAsking = false;
  stage.answer = "missing";
  await expect(command(stage.files, name)).rejects.toMatchObject({ code: "file-missing" });
});

test("a change with a body is done whole, as the file is not here when the body begins", async () => {
  const stage = new Stage();
  const name = await stage.elsewhere();
  await stage.files.append(name, flow(" and more"));
  const { body } = await stage.files.open(name, whole);
  expect(String(await collect(flowOfSource(body)))).toBe("hello and more");
});

test("metadata comes with its file: merged into, and removed", async () => {
  const stage = new Stage();
  const merged = await stage.elsewhere();
  await stage.files.writeMetadata(merged, "merge", Buffer.from("b\x022"));
  expect(String(await stage.files.readMetadata(merged))).toBe("a\x021\x01b\x022");
  const removed = await stage.elsewhere();
  await stage.files.remove(removed);
  expect(stage.fetched).toContain(`${removed}-m`);
  expect(stage.here.metadata.has(removed)).toBe(false);
});

test("metadata that cannot be had is not merged into; other failures come through", async () => {
  const stage = new Stage();
  const name = await stage.elsewhere();
  const files = new FetchingFileStore(stage.here, {
    isWorthAsking: () => true,
    fetch: async (wanted) => {
      if (wanted.endsWith("-m")) return "unknown";
      stage.here.files.set(name, { content: Buffer.from("hello"), modifiedSeconds: 1 });
      return "fetched";
    },
  });
  const merging = files.writeMetadata(name, "merge", Buffer.from("b\x022"));
  await expect(merging).rejects.toMatchObject({ code: "store-path-unready" });
  stage.here.failure = new Error("the disk");
  await expect(files.remove(name)).rejects.toBe(stage.here.failure);
  await expect(files.append(name, flow("x"))).rejects.toBe(stage.here.failure);
});

test("both names of a link to a slave are looked for", async () => {
  const stage = new Stage();
  const [source, master] = [await stage.elsewhere(), await stage.elsewhere()];
  stage.here.files.set(master, { content: Buffer.from("hello"), modifiedSeconds: 1 });
  await stage.files.link({ source, extension: "", slaveOf: { master, prefix: "_l" } });
  expect(stage.fetched).toEqual([source]);
});

test("where the disk of a file is away, reads come from a peer and changes are refused", async () => {
  const stage = new Stage();
  const name = await stage.elsewhere();
  const gone = fileStoreError("store-path-unready", "its disk is away");
  stage.here.failure = gone;
  const relayed: string[] = [];
  const files = new FetchingFileStore(stage.here, failing("nothing is fetched"), {
    open: async (wanted, { range, ...options }) => {
      relayed.push("open");
      return stage.peer.open(wanted, range, options);
    },
    facts: async (wanted, options) => {
      relayed.push("facts");
      return stage.peer.facts(wanted, options);
    },
    readMetadata: async (wanted) => {
      relayed.push("readMetadata");
      return stage.peer.readMetadata(wanted);
    },
  });
  const reads = ["open", "facts", "readMetadata"];
  for (const [command, run] of Object.entries(commands)) {
    if (reads.includes(command)) await run(files, name);
    else await expect(run(files, name)).rejects.toBe(gone);
  }
  expect(relayed).toEqual(reads);
  const alone = new FetchingFileStore(stage.here, failing("nothing is fetched"));
  for (const command of reads) await expect(commands[command]?.(alone, name)).rejects.toBe(gone);
});

function failing(why: string): ConstructorParameters<typeof FetchingFileStore>[1] {
  return { isWorthAsking: () => true, fetch: () => Promise.reject(new Error(why)) };
}
