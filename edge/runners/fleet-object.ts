/** The registry of runners, as its callers have it. */
export interface FleetObject {
  /** @param heartbeat `Heartbeat` as JSON, parsed before */
  beat(heartbeat: string): Promise<void>
  /** `Heartbeat[]` as JSON: those that were heard of lately. */
  list(): Promise<string>
}

export interface FleetObjects {
  getByName(name: string): FleetObject
}
