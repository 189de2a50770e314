/** Exchanges that a program recorded which spoke to the reference, one a line in JSON: frames in hexadecimal, and when. */
import type { Exchange } from "./exchange.ts";

interface Recorded {
  readonly command: number;
  readonly request: string;
  /** Empty where the server closed the connection. */
  readonly reply: string;
  readonly note: string;
  readonly width: 16 | 46;
  readonly at: string;
}

export function recordedExchanges(text: string): readonly Exchange[] {
  const lines = text.split("\n").filter((line) => line !== "");
  const recorded = lines.map((line) => JSON.parse(line) as Recorded);
  return recorded.map((exchange) => ({
    command: exchange.command,
    request: Buffer.from(exchange.request, "hex"),
    reply: exchange.reply === "" ? undefined : Buffer.from(exchange.reply, "hex"),
    width: exchange.width,
    note: exchange.note,
    origin: { kind: "recorded", source: `C FastDFS 6.16.1, ${exchange.at}` },
  }));
}
