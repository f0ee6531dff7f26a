/** The engine's door: everything that adapters and the server may import. */
export * from './engine.ts'
export { openEngine } from './open-engine.ts'
export type { EngineStores } from './open-engine.ts'
export type { EngineSettings } from './objects/context.ts'
