/** The real process: files, signals, append files and the service manager's notices. */
import { spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { FileError } from "#platform/files.ts";
import { nodeHost } from "#platform/node/node-host.ts";

const folder = mkdtempSync(join(tmpdir(), "cairn-host-"));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("what is not there is undefined or empty; what cannot be read is an error", () => {
  const host = nodeHost();
  writeFileSync(join(folder, "b.toml"), "text");
  mkdirSync(join(folder, "a"));
  expect(host.readText(join(folder, "b.toml"))).toBe("text");
  expect(host.readText(join(folder, "none"))).toBeUndefined();
  expect(host.readBytes(join(folder, "none"))).toBeUndefined();
  expect(host.listDirectory(folder)).toEqual(["a", "b.toml"]);
  expect(host.listDirectory(join(folder, "none"))).toEqual([]);
  expect(host.listDirectory(join(folder, "b.toml"))).toEqual([]);
  expect(() => host.readText(join(folder, "a"))).toThrow(FileError);
});

test("directories are made with those above them, and again without harm", () => {
  const host = nodeHost();
  const path = join(folder, "x/y/z");
  host.makeDirectory(path);
  host.makeDirectory(path);
  expect(host.listDirectory(join(folder, "x/y"))).toEqual(["z"]);
});

test("a file is replaced as a whole, for one user's eyes", () => {
  const host = nodeHost();
  const path = join(folder, "secret");
  host.replaceFile(path, "one");
  host.replaceFile(path, "two");
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(host.listDirectory(folder)).not.toContain("secret.new");
  expect(() => host.replaceFile(join(folder, "none/secret"), "three")).toThrow(FileError);
  expect([host.removeFile(path), host.removeFile(path)]).toEqual([true, false]);
  expect(() => host.removeFile(folder)).toThrow(FileError);
});

test("an append file goes on under its name after it was moved away", () => {
  const path = join(folder, "access.log");
  const file = nodeHost().openAppend(path);
  file.write("one\n");
  renameSync(path, `${path}.1`);
  file.reopen();
  file.write("two\n");
  file.close();
  expect(readFileSync(`${path}.1`, "utf8")).toBe("one\n");
  expect(readFileSync(path, "utf8")).toBe("two\n");
});

test("signals reach their handler, and the process tells what it uses", async () => {
  const host = nodeHost();
  const arrived = new Promise<void>((resolve) => host.onSignal("SIGUSR2", resolve));
  process.kill(process.pid, "SIGUSR2");
  await arrived;
  const usage = host.usage();
  expect(usage.residentBytes).toBeGreaterThan(1e6);
  expect(usage.cpuSeconds).toBeGreaterThan(0);
  expect(usage.openDescriptors).toBeGreaterThan(2);
});

test("a process that kills itself is ended by SIGKILL, whatever it waits for", async () => {
  const program = `
    import { nodeHost } from ${JSON.stringify(new URL("../../../../src/platform/node/node-host.ts", import.meta.url).href)};
    nodeHost().writeError("said\\n");
    nodeHost().killSelf();
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const signal = await new Promise((resolve) =>
    child.once("close", (_code, name) => resolve(name)),
  );
  expect(signal).toBe("SIGKILL");
  expect(said).toContain("said\n");
});
