/**
 * Measures a node's start and its memory at rest: runs a command with new data on free ports, and prints the milliseconds from
 * the start of the process until the node is ready, and how much of it is in RAM (`VmRSS`) after a rest. The command is the last
 * argument, so that `npm` is part of what is measured where one writes it:
 *
 *   npm run bench:start -- "npm start --"
 *   npm run bench:start -- --rest 30 "dist/cairn-linux-x64 serve"
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { freePorts } from "../support/free-ports.ts";

const readyLimitMs = 60_000;
const stopLimitMs = 10_000;
const usage = 'usage: npm run bench:start -- [--rest SECONDS] "COMMAND"';

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { rest: { type: "string", default: "30" } },
    allowPositionals: true,
  });
  const [command, ...surplus] = positionals;
  if (command === undefined || surplus.length > 0) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const data = mkdtempSync(join(tmpdir(), "cairn-start-"));
  const settings = await settingsOf(data);
  const started = performance.now();
  const child = spawn(`exec ${command} ${settings.join(" ")}`, {
    shell: true,
    // A group of its own, which is ended as a whole.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await ready(child);
    const readyMs = Math.round(performance.now() - started);
    await pause(Number(values.rest) * 1000);
    const node = lastDescendant(child.pid ?? 0);
    console.log(`ready after ${readyMs} ms; after ${values.rest} s at rest ${residentMb(node)} MB`);
    process.kill(node, "SIGTERM");
    await Promise.race([ended, pause(stopLimitMs)]);
  } finally {
    if (child.exitCode === null) process.kill(-(child.pid ?? 0), "SIGKILL");
    rmSync(data, { recursive: true, force: true });
  }
}

async function settingsOf(data: string): Promise<string[]> {
  const [tracker, storage, gateway] = await freePorts(3);
  const ports = [`tracker.port=${tracker}`, `storage.port=${storage}`, `gateway.port=${gateway}`];
  const all = [`node.data_dir=${data}`, "node.log_format=json", ...ports];
  return all.flatMap((each) => ["--set", each]);
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = "";
    const limit = setTimeout(() => reject(new Error(`not ready in time: ${said}`)), readyLimitMs);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (!said.includes('"event":"ready"')) return;
      clearTimeout(limit);
      resolve();
    });
    child.once("exit", () => reject(new Error(`the node ended: ${said}`)));
  });
}

/** npm starts a shell, which starts the node. */
function lastDescendant(id: number): number {
  const children = readFileSync(`/proc/${id}/task/${id}/children`, "utf8").trim();
  return children === "" ? id : lastDescendant(Number(children.split(" ")[0]));
}

function residentMb(id: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1];
  return Math.round((Number(kib) * 1024) / 1e5) / 10;
}

await main();
