/** The client package stands alone: its types compile in a stranger's program, its script runs there. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { file, needs } from "../support/needs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const built = join(root, "dist/client");

const program = `
import { AppError, contentOfReadable, openClient } from "@cairn/client";
const client = openClient({ trackers: ["127.0.0.1:1"], limits: { connectTimeoutMs: 500 } });
const source = { read: (target: Uint8Array, position: number) => Promise.resolve(position) };
const id: Promise<string> = client.upload(contentOfReadable(source, 0), { extension: "txt" });
try {
  console.log(await id);
} catch (error) {
  console.log(error instanceof AppError ? error.code : error);
}
client.close();
`;

needs(file(built, "npm run build"))("a stranger's program compiles against it and runs", () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-client-package-"));
  try {
    mkdirSync(join(folder, "node_modules/@cairn"), { recursive: true });
    mkdirSync(join(folder, "node_modules/@types"));
    cpSync(built, join(folder, "node_modules/@cairn/client"), { recursive: true });
    for (const name of ["@types/node", "undici-types"]) {
      const target = join(folder, "node_modules", name);
      cpSync(join(root, "node_modules", name), target, { recursive: true });
    }
    const compilerOptions = {
      target: "es2022",
      lib: ["es2024", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
      strict: true,
    };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    writeFileSync(join(folder, "program.ts"), program);
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const run = (...args: readonly string[]): string =>
      execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 60_000 });
    expect(run(compiler, "-p", ".")).toBe("");
    expect(run("program.js")).toBe("trackers-unreachable\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
