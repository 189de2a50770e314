/**
 * Writes the vectors: `node main.ts OUT_DIRECTORY SOURCE…`, where a source is a capture (`.pcap`, `.pcap.gz`), a recording
 * (`.jsonl`) or a text in the notation of `synthetic.md` (`.md`; published ones are told by another name). Reads no other file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { allMessages } from "#protocol/fastdfs/all-messages.ts";
import type { AnyMessage } from "#protocol/message.ts";
import { describeExchange } from "../../../support/wire-vectors.ts";
import { directions } from "./directions.ts";
import { type Exchange, headerSize } from "./exchange.ts";
import { notationExchanges } from "./notation-exchanges.ts";
import { pcapExchanges } from "./pcap-exchanges.ts";
import { recordedExchanges } from "./recorded-exchanges.ts";

const maxFrame = 2048;
const maxCapturedPerMessage = 4;

const [outDirectory = ".", ...sources] = process.argv.slice(2);
const exchanges = sources.flatMap(readSource);
for (const message of Object.values(allMessages) as readonly AnyMessage[]) {
  const chosen = choose(exchanges.filter(({ command }) => command === message.command));
  const vectors = chosen.map((exchange) => describeExchange(message, exchange));
  const [from, to] = directions(message.command);
  const content = { command: message.command, name: message.name, from, to, vectors };
  const number = String(message.command).padStart(3, "0");
  const path = join(outDirectory, `${number}-${message.name}.json`);
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
  for (const { note, origin, request, reply } of vectors) {
    if (request.refused)
      console.log(
        message.name,
        "request is refused:",
        note,
        origin.source,
        reply?.frame.slice(18, 20),
      );
    else if (!request.exact)
      console.log(message.name, "request is not exact:", note, origin.source);
    if (reply?.exact === false)
      console.log(message.name, "reply is not exact:", note, origin.source);
  }
  if (vectors.length === 0) console.log(message.name, "has no vector");
}

function readSource(path: string): readonly Exchange[] {
  const name = basename(path);
  if (name.endsWith(".jsonl")) return recordedExchanges(readFileSync(path, "utf8"));
  if (name.endsWith(".md")) {
    const kind = name === "synthetic.md" ? "synthetic" : "published";
    return notationExchanges(readFileSync(path, "utf8"), { kind, source: name });
  }
  return pcapExchanges(name, readFileSync(path));
}

/** Everything by hand; of captures, which repeat themselves, a few that differ in status or lengths. */
function choose(all: readonly Exchange[]): readonly Exchange[] {
  const seen = new Set<string>();
  let captured = 0;
  return all.filter((exchange) => {
    const { request, reply, origin } = exchange;
    if (request.length > maxFrame || (reply?.length ?? 0) > maxFrame) return false;
    if (origin.kind === "synthetic") return true;
    const shape = [request.readUInt8(9), request.length, reply?.readUInt8(9), reply?.length];
    const key = [...shape, exchange.note].join(" ");
    if (seen.has(key)) return false;
    if (origin.kind === "captured") {
      if (captured >= maxCapturedPerMessage) return false;
      captured += 1;
    }
    seen.add(key);
    return request.length >= headerSize;
  });
}
