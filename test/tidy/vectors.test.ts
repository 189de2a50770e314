/** Messages and their vectors. */
import { expect, test } from "vitest";
import { allMessages } from "#protocol/fastdfs/all-messages.ts";
import { listFiles, readText } from "./repository.ts";
import { findMissingVectors, type VectorFile } from "./rules/vectors.ts";

test("every message of the protocol has a vector", () => {
  const paths = listFiles("test/vectors/fastdfs").filter((path) => path.endsWith(".json"));
  const files = paths.map((path) => JSON.parse(readText(path)) as VectorFile);
  expect(findMissingVectors(allMessages, files)).toEqual([]);
});

test("a message without a vector, and a vector without a message, are found", () => {
  const messages = { join: { command: 81 }, beat: { command: 83 }, quit: { command: 82 } };
  const files = [
    { name: "join", command: 81, vectors: [{}] },
    { name: "beat", command: 82, vectors: [{}] },
    { name: "quit", command: 82, vectors: [] },
    { name: "gone", command: 99, vectors: [{}] },
  ];
  expect(findMissingVectors(messages, files)).toEqual([
    "the vectors of beat are of another command",
    "quit has no vector",
    "no message is called gone",
  ]);
});
