import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { FileError } from "#platform/files.ts";
import { NodeFiles } from "#platform/node/node-files.ts";
import { withDirectory } from "../../../support/engine-fixture.ts";

/** The errno that `call` fails with. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof FileError) return error.code;
    throw error;
  }
}

test("each mode of opening does what it says", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    const path = `${directory}/a`;
    expect(codeOf(() => files.open(path, "read"))).toBe("ENOENT");
    expect(codeOf(() => files.open(path, "read-write"))).toBe("ENOENT");
    const created = files.open(path, "create");
    files.write(created, Buffer.from("0123"));
    files.write(created, Buffer.from("45"));
    files.close(created);
    expect(codeOf(() => files.open(path, "create"))).toBe("EEXIST");
    const appended = files.open(path, "append");
    files.write(appended, Buffer.from("67"));
    files.close(appended);
    const changed = files.open(path, "read-write");
    files.write(changed, Buffer.from("AB"), 2);
    files.truncate(changed, 7);
    files.flush(changed);
    files.close(changed);
    expect(readFileSync(path, "latin1")).toBe("01AB456");
    files.close(files.open(path, "write"));
    expect(statSync(path).size).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });
});

test("reading gives what is there, from any place", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    writeFileSync(`${directory}/a`, "0123456789");
    const descriptor = files.open(`${directory}/a`, "read");
    const target = Buffer.alloc(4);
    expect(files.read(descriptor, target, 3)).toBe(4);
    expect(target.toString()).toBe("3456");
    expect(files.read(descriptor, target, 8)).toBe(2);
    expect(files.read(descriptor, target, 10)).toBe(0);
    expect(files.statDescriptor(descriptor)).toMatchObject({ kind: "file", sizeBytes: 10 });
    files.close(descriptor);
    expect(codeOf(() => files.read(descriptor, target, 0))).toBe("EBADF");
  });
});

test("kinds, times and names are told", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    files.makeDirectory(`${directory}/d`);
    writeFileSync(`${directory}/a`, "abc");
    files.makeLink(`${directory}/l`, `${directory}/a`);
    files.setModified(`${directory}/a`, 1_700_000_000);
    expect(files.stat(`${directory}/a`, false)).toMatchObject({
      kind: "file",
      sizeBytes: 3,
      modifiedSeconds: 1_700_000_000,
    });
    const { changedSeconds = 0 } = files.stat(`${directory}/a`, false) ?? {};
    expect(Math.abs(changedSeconds - Date.now() / 1000)).toBeLessThan(60);
    expect(files.stat(`${directory}/l`, false)?.kind).toBe("link");
    expect(files.stat(`${directory}/l`, true)?.sizeBytes).toBe(3);
    expect(files.readLink(`${directory}/l`)).toBe(`${directory}/a`);
    expect(files.stat(`${directory}/d`, false)?.kind).toBe("directory");
    expect(files.stat(`${directory}/none`, false)).toBeUndefined();
    expect(files.list(directory)?.sort()).toEqual(["a", "d", "l"]);
    expect(files.list(`${directory}/none`)).toBeUndefined();
    expect(files.stat(`${directory}/a`, false)?.links).toBe(1);
    files.makeHardLink(`${directory}/same`, `${directory}/a`);
    expect(files.stat(`${directory}/same`, false)?.links).toBe(2);
    expect(codeOf(() => files.makeHardLink(`${directory}/same`, `${directory}/a`))).toBe("EEXIST");
    expect(codeOf(() => files.makeHardLink(`${directory}/n`, `${directory}/none`))).toBe("ENOENT");
    // Another name of a symbolic link is one of the link, not of what it leads to.
    files.makeHardLink(`${directory}/other`, `${directory}/l`);
    expect(files.stat(`${directory}/other`, false)?.kind).toBe("link");
    files.remove(`${directory}/other`);
    expect(files.stat(`${directory}/same`, false)?.inode).toBe(
      files.stat(`${directory}/a`, false)?.inode,
    );
  });
});

test("names move and go", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    mkdirSync(`${directory}/d`);
    writeFileSync(`${directory}/a`, "abc");
    files.rename(`${directory}/a`, `${directory}/d/b`);
    files.flushDirectory(`${directory}/d`);
    expect(codeOf(() => files.removeDirectory(`${directory}/d`))).toBe("ENOTEMPTY");
    expect(files.remove(`${directory}/d/b`)).toBe(true);
    expect(files.remove(`${directory}/d/b`)).toBe(false);
    files.removeDirectory(`${directory}/d`);
    expect(readdirSync(directory)).toEqual([]);
    expect(codeOf(() => files.rename(`${directory}/a`, `${directory}/b`))).toBe("ENOENT");
    expect(codeOf(() => files.flushDirectory(`${directory}/a`))).toBe("ENOENT");
    expect(codeOf(() => files.makeDirectory(directory))).toBe("EEXIST");
  });
});

test("a pipe without a writer is opened without waiting for one", async () => {
  await withDirectory(async (directory) => {
    const files = new NodeFiles();
    const path = `${directory}/pipe`;
    await once(spawn("mkfifo", [path]), "exit");
    const descriptor = files.open(path, "read");
    expect(files.statDescriptor(descriptor).kind).toBe("other");
    files.close(descriptor);
  });
});

test("what the system cannot do with a name fails like any call", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    expect(codeOf(() => files.open(`${directory}/a\0b`, "read"))).toBe("EINVAL");
    expect(codeOf(() => files.open(`${directory}/${"x".repeat(300)}`, "create"))).toBe(
      "ENAMETOOLONG",
    );
    symlinkSync("loop", `${directory}/loop`);
    expect(codeOf(() => files.open(`${directory}/loop`, "read"))).toBe("ELOOP");
  });
});

test("space is told in bytes", () => {
  withDirectory((directory) => {
    const space = new NodeFiles().space(directory);
    expect(space.totalBytes).toBeGreaterThan(space.freeBytes);
    expect(space.freeBytes).toBeGreaterThan(0);
    expect(codeOf(() => new NodeFiles().space(`${directory}/none`))).toBe("ENOENT");
  });
});

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** Another process that claims `directory`, says so or why not, and stays. */
async function claimElsewhere(directory: string) {
  const program = `
    import { NodeFiles } from "#platform/node/node-files.ts";
    const files = new NodeFiles();
    try { files.claim(${JSON.stringify(directory)}); console.log("claimed"); }
    catch (error) { console.log(error.code); }
    setInterval(() => files, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output] = await once(child.stdout, "data");
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { answer: String(output).trim(), end };
}

test("a claim keeps other processes out, and ends with its holder however that ends", async () => {
  await withDirectory(async (directory) => {
    const holder = await claimElsewhere(directory);
    expect(holder.answer).toBe("claimed");
    const files = new NodeFiles();
    expect(codeOf(() => files.claim(directory))).toBe("EBUSY");
    await holder.end();
    files.claim(directory);
    const late = await claimElsewhere(directory);
    expect(late.answer).toBe("EBUSY");
    await late.end();
  });
});

test("a claim holds against others of its process, and again for its holder", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    files.claim(directory);
    files.claim(directory);
    expect(codeOf(() => new NodeFiles().claim(directory))).toBe("EBUSY");
    // A second attempt must not have dropped the first one's lock.
    expect(codeOf(() => new NodeFiles().claim(directory))).toBe("EBUSY");
    files.claim(directory);
    expect(statSync(`${directory}/claim`).size).toBe(0);
    files[Symbol.dispose]();
    new NodeFiles().claim(directory);
  });
});

test("where nothing can be claimed the system's reason is given", () => {
  withDirectory((directory) => {
    const files = new NodeFiles();
    expect(codeOf(() => files.claim(`${directory}/none`))).toBe("ENOENT");
    chmodSync(directory, 0o555);
    // The super-user may write everywhere.
    const expected = process.getuid?.() === 0 ? undefined : "EACCES";
    expect(codeOf(() => files.claim(directory))).toBe(expected);
    chmodSync(directory, 0o755);
  });
});
