/** The FUSE file system of the tests: a node works on it, and what it is told to do to calls it does. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { FuseMount, fuseNeeds } from "../../support/fuse/fuse-mount.ts";
import { readLog } from "../../support/fuse/write-log.ts";
import { LiveNode } from "../../support/live-node.ts";
import { needs } from "../../support/needs.ts";
import { StorageCaller } from "../../support/storage-caller.ts";

const onFuse = needs(...fuseNeeds);
const execute = promisify(execFile);

/** A shell in the mount, in a process of its own. */
async function shell(mount: FuseMount, script: string): Promise<string> {
  const { stdout } = await execute("sh", ["-c", script], { cwd: mount.path, timeout: 10_000 });
  return stdout;
}

function mounted(path: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8").includes(path);
}

onFuse("files, directories, links and renames are what they are in the folder behind", async () => {
  await using mount = await FuseMount.start();
  const script =
    "mkdir d; echo one > a; mv a d/b; ln d/b c; ln -s c s; rm d/b; cat s; echo two >> c; " +
    "exec 5> gone; rm gone; echo three >&5; truncate -s 6 c; cat c; rmdir d; ls";
  expect(await shell(mount, script)).toBe("one\none\ntwc\ns\n");
});

onFuse(
  "calls are delayed, held and failed, by operation and path, as often as was said",
  async () => {
    await using mount = await FuseMount.start();
    const failing = await mount.inject({
      operations: ["fsync"],
      path: "^bad",
      action: { kind: "fail", errno: 5 },
      after: 1,
      times: 1,
    });
    const flush = (name: string): Promise<string> =>
      shell(mount, `dd if=/dev/zero of=${name} bs=4k count=1 conv=fsync 2>/dev/null; echo $?`);
    const statuses = [];
    for (const name of ["bad", "good", "bad", "bad"]) statuses.push(await flush(name));
    expect(statuses).toEqual(["0\n", "0\n", "1\n", "0\n"]);
    expect([await mount.hits(failing), (await mount.counts()).fsync]).toEqual([1, 4]);

    const slow = await mount.inject({ path: "^good", action: { kind: "delay", ms: 300 } });
    const started = performance.now();
    await shell(mount, "cat good > /dev/null");
    expect(performance.now() - started).toBeGreaterThan(290);
    await mount.clear(slow);

    const hanging = await mount.inject({ operations: ["write"], action: { kind: "hang" } });
    let ended = false;
    const held = shell(mount, "echo held > held; cat held").finally(() => {
      ended = true;
    });
    await shell(mount, "cat good > /dev/null; sleep 0.3");
    expect(ended).toBe(false);
    await mount.clear(hanging);
    expect(await held).toBe("held\n");
  },
);

onFuse("a flush that loses undoes what was written since the last good one", async () => {
  await using mount = await FuseMount.start({ keepUndo: true });
  await shell(mount, "printf 12345 > file; sync file");
  await mount.inject({ operations: ["fsync"], action: { kind: "lose" }, times: 1 });
  expect(
    await shell(mount, "printf abcdefgh 1<>file; sync file 2>/dev/null || od -An -c file"),
  ).toMatch(/^ +1 +2 +3 +4 +5 +\\0 +\\0 +\\0$/m);
});

onFuse("the log has every write with its bytes, and the flushes between them", async () => {
  await using mount = await FuseMount.start();
  const log = `${mount.behind}.log`;
  await using recorded = await FuseMount.start({ directory: mount.behind, log });
  await shell(recorded, "exec 5> f; printf one >&5; sync f; printf two >&5");
  const bytes = readFileSync(log);
  const seen = readLog(log).map((entry) =>
    entry.kind === "flush"
      ? "flush"
      : `${entry.offset} ${bytes.toString("latin1", entry.bytesAt, entry.end)}`,
  );
  expect(seen).toEqual(["0 one", "flush", "3 two"]);
});

onFuse("a node stores, changes and serves files on it", async () => {
  await using mount = await FuseMount.start();
  await using node = await LiveNode.start(() => [`storage.path=${mount.path}`]);
  const caller = await StorageCaller.connect(node.storage.port);
  const content = Buffer.alloc(300_000, "content ");
  const name = await caller.upload(content);
  expect((await caller.download(name)).equals(content)).toBe(true);
  const appender = await caller.upload(content, { appender: true });
  await caller.append(appender, content);
  expect((await caller.download(appender)).length).toBe(600_000);
  await caller.remove(name);
  caller.close();
});

onFuse(
  "nothing stays mounted, also when the test's process is killed with calls that hang",
  async () => {
    const module = new URL("../../support/fuse/fuse-mount.ts", import.meta.url).href;
    const program = `
    import { FuseMount } from ${JSON.stringify(module)};
    const mount = await FuseMount.start();
    await mount.inject({ operations: ["write"], action: { kind: "hang" } });
    console.log(mount.path);
    setInterval(() => {}, 1000);`;
    const folder = await FuseMount.start();
    const file = join(folder.behind, "die.ts");
    writeFileSync(file, program);
    const child = execFile(process.execPath, [file]);
    const path = await new Promise<string>((resolve) =>
      child.stdout?.once("data", (text) => resolve(String(text).trim())),
    );
    expect(mounted(path)).toBe(true);
    let ended = false;
    const held = execute("sh", ["-c", `echo x > ${path}/x`]).finally(() => {
      ended = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(ended).toBe(false);
    child.kill("SIGKILL");
    await Promise.allSettled([held]);
    const until = performance.now() + 5000;
    while (mounted(path) && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(mounted(path)).toBe(false);
    rmSync(dirname(path), { recursive: true });
    await folder[Symbol.asyncDispose]();
    expect([mounted(folder.path), existsSync(folder.path)]).toEqual([false, false]);
  },
);
