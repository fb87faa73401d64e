export { type BindOptions, bind, type Context, type Handler } from './bind.ts'
export { openApiDocument } from './openapi.ts'
export { isStoreUnavailable, unsupportedMediaType } from './problem-handler.ts'
export { createRateLimit, type RateLimit } from './rate-limit.ts'
export { hashPassword, hashSecret, newSecret, sameText, verifyPassword } from './secret.ts'
export {
  type Authenticate,
  type Credential,
  createServer,
  type Readiness,
  type Server,
  type ServerOptions,
} from './server.ts'
export { bindSocket, type Socket, type SocketHandler } from './socket.ts'
