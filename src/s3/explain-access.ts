import { EngineError } from '../../engine/index.ts'
import { explainingDecider, NoSuchResource, type Explain } from '../policy/explaining-decider.ts'
import { createS3Service, type S3ServiceParts } from './service.ts'
import type { S3RequestFacts } from './request-facts.ts'

/** Explains decisions on buckets and objects: by the policies, ownership, ACLs and public access block that a request meets. */
export function explainS3(parts: Omit<S3ServiceParts, 'decider'>): Explain {
  return async question => {
    const { principal, action, resource, nowMs } = question
    const [, name = '', key] = /^arn:aws:s3:::([^/]+)(?:\/(.*))?$/s.exec(resource) ?? []
    if (name === '') return undefined
    const { decider, last } = explainingDecider(question)
    const bucket = name === '*' ? undefined : await parts.engine.headBucket(name).catch((error: unknown) => {
      if (error instanceof EngineError && error.code === 'NoSuchBucket') throw new NoSuchResource(`there is no bucket ${name}`)
      throw error
    })
    const account = { name: '', id: principal.canonicalUserId, accountId: principal.accountId, displayName: '', email: '' }
    const facts: S3RequestFacts = {
      operation: action,
      caller: { principal, account, accessKeyId: '' },
      nowMs,
      sourceIp: undefined,
      isSecure: true,
      header: () => undefined,
      parameter: () => undefined,
      signed: undefined,
      body: undefined,
      copySource: undefined,
      notes: {},
    }
    await createS3Service({ ...parts, decider }).authorizer.decide(facts, { action, ...(bucket && { bucket }), ...(key === undefined || key === '' ? {} : { key }) })
    return last()
  }
}
