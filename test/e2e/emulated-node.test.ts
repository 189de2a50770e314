/**
 * The arm64 executable serves: a whole node under an emulator takes, gives and deletes files, and stops when it is told to.
 * Method: the emulator and its libraries hide behind a script that stands in for the executable; the client is ours, native.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { openClient } from "#client/open-client.ts";
import { emulatedExecutable } from "../support/executables.ts";
import { needs } from "../support/needs.ts";
import { NodeProcess } from "../support/node-process.ts";
import { seededRandom } from "../support/seeded-random.ts";

const emulated = emulatedExecutable();
const activeLimitMs = 30_000;

/** A script that runs the executable under its emulator. */
function standIn(folder: string): string {
  const path = join(folder, "cairn");
  const variables = Object.entries(emulated.env).map(([name, value]) => `export ${name}=${value}`);
  const command = [emulated.command, ...emulated.args].map((word) => `'${word}'`).join(" ");
  writeFileSync(path, ["#!/bin/sh", ...variables, `exec ${command} "$@"`, ""].join("\n"));
  chmodSync(path, 0o755);
  return path;
}

needs(...emulated.needs)("an emulated arm64 node stores, serves and deletes files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-emulated-"));
  // Each test file has a process of its own, so nobody else sees this.
  process.env.CAIRN_EXECUTABLE = standIn(folder);
  try {
    const node = await NodeProcess.start({ dataDirectory: folder });
    try {
      await using client = openClient({ trackers: [`127.0.0.1:${node.ports.tracker}`] });
      const random = seededRandom(20_261_123);
      // Ready means that ports are open; the storage becomes ACTIVE with its first beats.
      const first = await vi.waitFor(() => client.upload(Buffer.from("first")), {
        timeout: activeLimitMs,
        interval: 200,
      });
      await client.remove(first);
      for (const size of [0, 4096, 1_048_577]) {
        const bytes = Buffer.from(random.bytes(size));
        const id = await client.upload(bytes, { extension: "bin" });
        expect((await client.downloadBytes(id, { verify: true })).equals(bytes)).toBe(true);
        await client.remove(id);
        await expect(client.downloadBytes(id)).rejects.toMatchObject({ code: "file-missing" });
      }
    } finally {
      expect(await node.stop()).toEqual({ code: 0, signal: null });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
