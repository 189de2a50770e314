/**
 * The kernel's log from `/dev/kmsg`, which needs root or CAP_SYSLOG, and otherwise from the journal, which needs the group
 * `systemd-journal`. Reading from either waits for nothing: kmsg is opened non-blocking, journalctl is a child with a deadline.
 */
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import type { Commands } from "#platform/commands.ts";
import { type KernelLog, type KernelMessage, maxKernelMessages } from "#platform/kernel-log.ts";

/** A record of kmsg is at most 8 KiB. */
const recordBytes = 8192;
const daySeconds = 24 * 3600;
const journalDeadlineMs = 10_000;
const maxJournalBytes = 4 * 1024 * 1024;

export function nodeKernelLog(commands: Commands, nowMs: () => number): KernelLog {
  const ring = new KernelRing(nowMs);
  const journal = new KernelJournal(commands);
  return { take: async () => ring.take() ?? (await journal.take()) };
}

export class KernelRing {
  readonly #nowMs: () => number;
  #descriptor: number | undefined;
  #refused = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Undefined where it cannot be read, now and later. */
  take(): readonly KernelMessage[] | undefined {
    if (this.#refused) return undefined;
    try {
      this.#descriptor ??= openSync("/dev/kmsg", constants.O_RDONLY | constants.O_NONBLOCK);
      return this.#read(this.#descriptor);
    } catch {
      // Not allowed, or no such device in this container: the journal may do.
      this.#refused = true;
      if (this.#descriptor !== undefined) closeSync(this.#descriptor);
      this.#descriptor = undefined;
      return undefined;
    }
  }

  #read(descriptor: number): readonly KernelMessage[] {
    const bootSeconds = this.#nowMs() / 1000 - uptimeSeconds();
    const oldest = this.#nowMs() / 1000 - daySeconds;
    const buffer = Buffer.alloc(recordBytes);
    const messages: KernelMessage[] = [];
    for (let count = 0; count < 10 * maxKernelMessages; count += 1) {
      const length = readRecord(descriptor, buffer);
      if (length === undefined) break;
      const message = parseKernelRecord(buffer.toString("utf8", 0, length), bootSeconds);
      if (message !== undefined && message.atSeconds >= oldest) messages.push(message);
      if (messages.length > maxKernelMessages) messages.shift();
    }
    return messages;
  }
}

/** Bytes of the next record, 0 for one that is passed over; undefined where there is none yet. */
function readRecord(descriptor: number, buffer: Buffer): number | undefined {
  try {
    return readSync(descriptor, buffer);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EAGAIN") return undefined;
    // Overwritten before we came, or too long for us: the next read is of the next record.
    if (code === "EPIPE" || code === "EINVAL") return 0;
    throw error;
  }
}

function uptimeSeconds(): number {
  const [uptime = "0"] = readFileSync("/proc/uptime", "utf8").split(" ");
  return Number(uptime);
}

/** `6,339,5140900,-;text`, then lines of properties. Pure. */
export function parseKernelRecord(text: string, bootSeconds: number): KernelMessage | undefined {
  const found = /^(\d+),\d+,(\d+),[^;]*;([^\n]*)/.exec(text);
  if (found === null) return undefined;
  const [, priority, microseconds, line = ""] = found;
  // Facility 0 is the kernel; others were written by programs.
  if (Number(priority) >> 3 !== 0) return undefined;
  return { text: line, atSeconds: Math.floor(bootSeconds + Number(microseconds) / 1e6) };
}

export class KernelJournal {
  readonly #commands: Commands;
  #cursor: string | undefined;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  async take(): Promise<readonly KernelMessage[] | undefined> {
    const since = this.#cursor === undefined ? ["--since=-1d"] : [`--after-cursor=${this.#cursor}`];
    const fixed = ["--dmesg", "--no-pager", "--quiet", "--output=json", "--output-fields=MESSAGE"];
    try {
      const { code, stdout } = await this.#commands.run(
        "journalctl",
        [...fixed, `--lines=${maxKernelMessages}`, ...since],
        { deadlineMs: journalDeadlineMs, maxOutputBytes: maxJournalBytes },
      );
      if (code !== 0) return undefined;
      const { messages, cursor } = parseJournal(stdout);
      this.#cursor = cursor ?? this.#cursor;
      return messages;
    } catch {
      // No journal here, or it hangs: what it would tell is told by other signs as well.
      return undefined;
    }
  }
}

/** Pure. Lines that are not understood are passed over. */
export function parseJournal(stdout: string): {
  readonly messages: readonly KernelMessage[];
  readonly cursor: string | undefined;
} {
  const messages: KernelMessage[] = [];
  let cursor: string | undefined;
  for (const line of stdout.split("\n").slice(0, maxKernelMessages + 1)) {
    const entry = parseEntry(line);
    if (entry === undefined) continue;
    const { MESSAGE: text, __REALTIME_TIMESTAMP: at, __CURSOR: place } = entry;
    if (typeof place === "string" && place.length <= 1000) cursor = place;
    const atSeconds = Math.floor(Number(at) / 1e6);
    if (typeof text === "string" && Number.isSafeInteger(atSeconds)) {
      messages.push({ text, atSeconds });
    }
  }
  return { messages, cursor };
}

function parseEntry(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
