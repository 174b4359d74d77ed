// What is fixed about a run while it is passed over: who asked, on whose behalf, with which live objects.

/** On whose behalf a run acts. Plain JSON; kept in the journal. */
export interface Principal {
  readonly id: string;
  readonly roles?: readonly string[];
  readonly tenant?: string;
}

/** What is fixed about a run while it is passed over. */
export interface RunFacts {
  readonly id: string;
  readonly agent: string;
  readonly agentVersion: string;
  readonly user?: Principal;
  readonly conversationId?: string;
  /** The id of the run this one is a part of. */
  readonly parent?: string;
  /** The caller's live objects (database, request): never stored, given again at resume. */
  readonly context: unknown;
}
