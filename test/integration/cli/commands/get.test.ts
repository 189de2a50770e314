/**
 * Fetching files from the command line. Goal: whatever interrupts it, the next run goes on without fetching anything twice, and
 * no file gets its name with wrong bytes. Method: a fake cluster that cuts, falls silent and damages; files of a temporary
 * directory.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { clientOf } from "../../../support/client.ts";
import { FakeCluster } from "../../../support/fake-cluster.ts";
import { TestWorld } from "../../../support/test-world.ts";

const content = randomBytes(9_000_000);

async function stored(cluster: FakeCluster, bytes: Buffer = content): Promise<string> {
  await using client = clientOf(cluster);
  return await client.upload(bytes, { extension: "bin" });
}

test("a file gets the last part of its id for a name, or what was asked for", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const id = await stored(cluster);
  const name = id.slice(id.lastIndexOf("/") + 1);
  mkdirSync(world.path("dir"));
  for (const [options, place] of [
    [[], name],
    [["-o", "x.bin"], "x.bin"],
    [["--output", "dir"], `dir/${name}`],
    [["-o", `${world.directory}/y.bin`, "-p", "4"], "y.bin"],
  ] as const) {
    const { code, text, errors } = await world.run("get", id, ...options);
    expect([code, text]).toEqual([0, ""]);
    expect(errors).toBe(`${world.path(place)}: 8.6 MiB\n`);
    expect(readFileSync(world.path(place)).equals(content)).toBe(true);
  }
  expect(readdirSync(world.directory).toSorted()).toEqual(
    [name, "dir", "x.bin", "y.bin"].toSorted(),
  );
});

for (const parallel of ["1", "4"]) {
  test(`an interrupted download goes on where it stopped, in ${parallel} stretches`, async () => {
    await using cluster = await FakeCluster.start();
    const world = new TestWorld(cluster);
    const id = await stored(cluster);
    const words = ["get", id, "-o", "x.bin", "-p", parallel];
    // The storage sends 1,500,000 bytes of each stretch and then nothing more.
    cluster.storage.faults.stallDownloadsAfter = 1_500_000;
    const running = world.run(...words);
    await expect.poll(() => partSize(world)).toBeGreaterThan(0);
    world.terminal.interrupt();
    const first = await running;
    expect(first.code).toBe(130);
    expect(first.errors).toContain("x.bin.part keeps what arrived");
    expect(existsSync(world.path("x.bin"))).toBe(false);

    cluster.storage.faults.stallDownloadsAfter = undefined;
    cluster.storage.delivered = 0;
    const second = await world.run(...words);
    expect(second.code).toBe(0);
    expect(second.errors).toMatch(/of it were here already/);
    expect(cluster.storage.delivered).toBeLessThan(content.length);
    expect(readFileSync(world.path("x.bin")).equals(content)).toBe(true);
    expect(readdirSync(world.directory)).toEqual(["x.bin"]);
  });
}

function partSize(world: TestWorld): number {
  const path = world.path("x.bin.part");
  return existsSync(path) ? readFileSync(path).length : 0;
}

test("a cluster that fails keeps what arrived, too, and the exit code says that it may be tried again", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const id = await stored(cluster);
  await using client = clientOf(cluster);
  const appender = await client.uploadAppender(content);
  cluster.storage.faults.cutDownloadsAfter = 4_000_000;
  const { code, errors } = await world.run("get", appender, "-o", "x.bin");
  expect(code).toBe(75);
  expect(errors).toContain("x.bin.part keeps what arrived");
  cluster.storage.faults.cutDownloadsAfter = undefined;
  expect(await world.json("get", appender, "-o", "x.bin")).toEqual({
    files: [
      {
        fileId: appender,
        path: world.path("x.bin"),
        sizeBytes: content.length,
        resumedBytes: 4_000_000,
        verified: false,
      },
    ],
    failures: [],
  });
  // Normal files go on by themselves.
  cluster.storage.faults.cutDownloadsAfter = 4_000_000;
  expect((await world.run("get", id, "-o", "y.bin")).code).toBe(0);
});

test("a part of another file, of a changed appender or of foreign make is not used", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  await using client = clientOf(cluster);
  const appender = await client.uploadAppender(content);
  cluster.storage.faults.cutDownloadsAfter = 4_000_000;
  await world.run("get", appender, "-o", "x.bin");
  cluster.storage.faults.cutDownloadsAfter = undefined;
  await client.append(appender, Buffer.from("more"));
  expect((await world.run("get", appender, "-o", "x.bin")).errors).not.toContain("already");
  expect(
    readFileSync(world.path("x.bin")).equals(Buffer.concat([content, Buffer.from("more")])),
  ).toBe(true);

  const id = await stored(cluster);
  writeFileSync(world.path("z.bin.part"), "rubbish");
  for (const note of ["{", '{"format":"cairn-part-9"}', ""]) {
    writeFileSync(world.path("z.bin.part.json"), note);
    expect((await world.run("get", id, "-o", "z.bin", "--yes")).code).toBe(0);
    expect(readFileSync(world.path("z.bin")).equals(content)).toBe(true);
    writeFileSync(world.path("z.bin.part"), Buffer.alloc(20_000_000));
  }
});

for (const parallel of ["1", "3"]) {
  test(`damaged bytes get no name, in ${parallel} stretches`, async () => {
    await using cluster = await FakeCluster.start();
    const world = new TestWorld(cluster);
    const id = await stored(cluster);
    cluster.storage.faults.corrupt = true;
    const { code, errors } = await world.run("get", id, "-o", "x.bin", "-p", parallel);
    expect(code).toBe(65);
    expect(errors).toContain("the bytes are in");
    expect(readdirSync(world.directory)).toEqual(["x.bin.damaged"]);
    const words = ["get", id, "-o", "x.bin", "--no-verify", "-p", parallel];
    expect((await world.run(...words)).code).toBe(0);
    expect(await world.run("get", id, "-o", "-")).toMatchObject({ code: 65 });
  });
}

test("ranges, empty files and ends", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const id = await stored(cluster);
  const empty = await stored(cluster, Buffer.alloc(0));
  const range = async (...options: string[]) => {
    const { code } = await world.run("get", id, "-o", "r", "--yes", ...options);
    return code === 0 ? readFileSync(world.path("r")) : code;
  };
  expect(await range("--offset", "8999990")).toEqual(content.subarray(8_999_990));
  expect(await range("--offset", "1MiB", "--length", "3MiB", "-p", "2")).toEqual(
    content.subarray(1_048_576, 4 * 1_048_576),
  );
  expect(await range("--length", "0")).toEqual(Buffer.alloc(0));
  expect(await range("--offset", "9000000")).toEqual(Buffer.alloc(0));
  expect(await range("--offset", "9000001")).toBe(2);
  expect(await range("--offset", "x")).toBe(2);
  expect(await range("--parallel", "99")).toBe(2);
  expect((await world.run("get", empty, "-o", "e")).code).toBe(0);
  expect(readFileSync(world.path("e"))).toHaveLength(0);
  expect(await world.run("get", empty, "-o", "-")).toEqual({ code: 0, text: "", errors: "" });
});

test("what is there already is overwritten only when somebody says so", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const id = await stored(cluster, Buffer.from("new"));
  writeFileSync(world.path("x"), "old");
  mkdirSync(world.path("d"));
  expect((await world.run("get", id, "-o", "x")).code).toBe(2);
  world.terminal.inputIsTerminal = true;
  world.terminal.errorIsTerminal = true;
  world.terminal.answers = ["n"];
  expect((await world.run("get", id, "-o", "x")).code).toBe(73);
  expect(String(readFileSync(world.path("x")))).toBe("old");
  world.terminal.answers = ["y"];
  expect((await world.run("get", id, "-o", "x")).code).toBe(0);
  expect(String(readFileSync(world.path("x")))).toBe("new");
  expect(world.terminal.questions).toHaveLength(2);
});

test("several files need a directory; one that is missing does not keep the others away", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const [a, b] = [await stored(cluster, Buffer.from("a")), await stored(cluster, Buffer.from("b"))];
  const gone = await stored(cluster, Buffer.from("c"));
  await using client = clientOf(cluster);
  await client.remove(gone);
  expect((await world.run("get", a, b, "-o", "x")).code).toBe(2);
  mkdirSync(world.path("d"));
  const { code, errors } = await world.run("get", a, gone, b, "-o", "d");
  expect([code, readdirSync(world.path("d")).length]).toEqual([66, 2]);
  expect(errors).toContain("has no such file");
  expect((await world.run("get", a, b, "-o", "-")).text).toBe("ab");
});

test("a disk that is full ends it, with what arrived kept", async () => {
  await using cluster = await FakeCluster.start();
  const world = new TestWorld(cluster);
  const id = await stored(cluster);
  const real = world.files;
  world.files = {
    ...real,
    open: async (path, mode) => {
      const file = await real.open(path, mode);
      const write = file.write.bind(file);
      file.write = async (bytes, position) => {
        if (position >= 4_000_000) {
          throw Object.assign(new Error("no space left on the device"), { code: "ENOSPC" });
        }
        await write(bytes, position);
      };
      return file;
    },
  };
  const { code, errors } = await world.run("get", id, "-o", "x.bin");
  expect(errors).toContain("no space left on the device");
  expect(code).not.toBe(0);
  world.files = real;
  expect((await world.run("get", id, "-o", "x.bin")).errors).toContain("already");
});
