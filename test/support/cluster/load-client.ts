/**
 * A client of a cluster, in a process of its own so that it can live on another host: stores, reads, changes and deletes files until
 * its standard input ends, and writes down what it was told (`manifest.ts`).
 *
 *   node load-client.ts MANIFEST SEED CONNECTIONS PAUSE-MS TRACKER…
 */
import { appendFileSync } from "node:fs";
import { chunksOf, type FastdfsClient, openClient } from "#client/open-client.ts";
import type { Random } from "#platform/random.ts";
import { seededRandom } from "../seeded-random.ts";
import { type ManifestEvent, sha256 } from "./manifest.ts";

interface Owned {
  readonly id: string;
  content: Buffer;
  readonly appender: boolean;
  readonly since: number;
}

const [manifest = "", seed = "1", connections = "4", pauseMs = "20", ...trackers] =
  process.argv.slice(2);

function write(event: ManifestEvent): void {
  appendFileSync(manifest, `${JSON.stringify(event)}\n`);
}

function isGone(error: unknown): boolean {
  return (error as { code?: string }).code === "file-missing";
}

class Worker {
  readonly #client: FastdfsClient;
  readonly #random: Random;
  readonly #owned: Owned[] = [];

  constructor(client: FastdfsClient, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  async step(): Promise<void> {
    const choice = this.#random.below(100);
    const file = this.#owned[this.#random.below(Math.max(1, this.#owned.length))];
    if (file === undefined || choice < 60) await this.#store();
    else if (choice < 80) await this.#read(file);
    else if (choice < 90 || !file.appender) await this.#remove(file);
    else await this.#append(file);
  }

  #bytes(): Buffer {
    const large = this.#random.below(50) === 0;
    const length = this.#random.below(large ? 3_000_000 : 60_000);
    const bytes = Buffer.alloc(length, this.#random.below(256));
    for (let at = 0; at < length; at += 97) bytes[at] = this.#random.below(256);
    return bytes;
  }

  async #store(): Promise<void> {
    const content = this.#bytes();
    const appender = this.#random.below(5) === 0;
    const options = { extension: "bin" };
    const id = await (appender
      ? this.#client.uploadAppender(content, options)
      : this.#client.upload(content, options));
    write({ event: "stored", id, sha256: sha256(content), appender });
    this.#owned.push({ id, content, appender, since: performance.now() });
  }

  async #read(file: Owned): Promise<void> {
    const beganMs = Date.now();
    try {
      const parts: Buffer[] = [];
      for await (const part of chunksOf(await this.#client.download(file.id))) {
        parts.push(Buffer.from(part));
      }
      // Appended parts reach the others later: whoever has less is not wrong.
      if (file.appender || Buffer.concat(parts).equals(file.content)) return;
      const what = `read ${file.id}`;
      write({ event: "failed", what, why: "other content", beganMs, atMs: Date.now() });
    } catch (error) {
      if (!isGone(error)) throw error;
      const ageMs = Math.round(performance.now() - file.since);
      write({ event: "not-found", id: file.id, ageMs, why: String(error) });
    }
  }

  async #remove(file: Owned): Promise<void> {
    this.#owned.splice(this.#owned.indexOf(file), 1);
    write({ event: "asked", id: file.id });
    await this.#client.remove(file.id);
    write({ event: "deleted", id: file.id });
  }

  async #append(file: Owned): Promise<void> {
    const more = this.#bytes().subarray(0, 5000);
    const whole = Buffer.concat([file.content, more]);
    write({ event: "asked", id: file.id, sha256: sha256(whole) });
    try {
      await this.#client.append(file.id, more);
    } catch (error) {
      this.#owned.splice(this.#owned.indexOf(file), 1);
      throw error;
    }
    file.content = whole;
    write({ event: "changed", id: file.id, sha256: sha256(whole) });
  }
}

async function main(): Promise<void> {
  let running = true;
  process.stdin.on("end", () => {
    running = false;
  });
  process.stdin.resume();
  const limits = { connectTimeoutMs: 2000, networkTimeoutMs: 10_000 };
  const client = openClient({ trackers, limits });
  const loop = async (number: number): Promise<void> => {
    const worker = new Worker(client, seededRandom(Number(seed) * 1000 + number));
    while (running) {
      const beganMs = Date.now();
      await worker.step().catch((error: unknown) => {
        const why = String(error);
        write({ event: "failed", what: "request", why, beganMs, atMs: Date.now() });
      });
      await new Promise((resolve) => setTimeout(resolve, Number(pauseMs)));
    }
  };
  await Promise.all(Array.from({ length: Number(connections) }, (_, number) => loop(number)));
  await client[Symbol.asyncDispose]();
}

await main();
