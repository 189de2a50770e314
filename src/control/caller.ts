/** Who asks for an operation, and what they may. */
import type { Access } from "#control/operation.ts";

export interface Caller {
  /** For the log: `control socket`, a user of the dashboard, an MQTT client. */
  readonly name: string;
  readonly access: Access;
}
