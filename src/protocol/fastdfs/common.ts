/** Messages that trackers and storages both understand (protocol §1.6). */
import { commands } from "#protocol/commands.ts";
import { message, nothing } from "#protocol/message.ts";

/** Anybody to a server: are you there? Keeps pooled connections honest. */
export const activeTest = message({
  name: "activeTest",
  command: commands.activeTest,
  request: nothing,
  reply: nothing,
});

/** Anybody to a server: I am about to close. Never answered. */
export const quit = message({
  name: "quit",
  command: commands.quit,
  request: nothing,
  reply: nothing,
  oneWay: true,
});

export const common = { activeTest, quit } as const;
