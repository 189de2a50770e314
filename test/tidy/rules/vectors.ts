/** A message whose bytes nobody has seen is a guess: each has at least one vector. */

export interface VectorFile {
  /** The message's name in the declarations. */
  readonly name: string;
  readonly command: number;
  readonly vectors: readonly unknown[];
}

export interface DeclaredMessage {
  readonly command: number;
}

/** Messages without vectors, and vectors that belong to no message. */
export function findMissingVectors(
  messages: Readonly<Record<string, DeclaredMessage>>,
  files: readonly VectorFile[],
): string[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const missing = Object.entries(messages).flatMap(([name, message]) => {
    const file = byName.get(name);
    if (file === undefined || file.vectors.length === 0) return [`${name} has no vector`];
    if (file.command !== message.command) return [`the vectors of ${name} are of another command`];
    return [];
  });
  const strays = files.filter((file) => messages[file.name] === undefined);
  return [...missing, ...strays.map((file) => `no message is called ${file.name}`)];
}
