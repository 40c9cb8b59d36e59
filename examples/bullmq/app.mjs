// A WhatsApp sender as the documentation of BullMQ suggests one: POST /send puts a job into a queue, a worker sends it
// to the Cloud API and tries again when that fails. Nothing in it knows of aftershock.
//
// It has a flaw: what came of a request that was never answered is unknown, and it takes that for a failure.
// ON_TIMEOUT=give-up takes it for what it is.
import http from 'node:http'
import { Queue, UnrecoverableError, Worker } from 'bullmq'

const env = process.env
const connection = { path: env.REDIS_SOCKET }
const queue = new Queue('whatsapp', { connection })
const url = `${env.CLOUD_API}/v24.0/${env.PHONE_NUMBER_ID ?? '106540352242922'}/messages`
const timeout = +(env.TIMEOUT_MS ?? 5000)
const started = new Map() // job → when it was taken

// send makes one request; an error without a status says that nobody knows what came of it.
async function send({ to, text }) {
  const answer = await fetch(url, {
    method: 'POST', signal: AbortSignal.timeout(timeout),
    headers: { Authorization: `Bearer ${env.ACCESS_TOKEN ?? 'EAAexample'}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ messaging_product: 'whatsapp', to, type: 'text', text: { body: text } }),
  })
  const body = await answer.text()
  if (!answer.ok) throw Object.assign(new Error(`${answer.status} ${body.slice(0, 120)}`), { status: answer.status })
}

const worker = new Worker('whatsapp', async job => {
  try {
    await send(job.data)
  } catch (error) {
    if (error.status === undefined && env.ON_TIMEOUT === 'give-up') throw new UnrecoverableError(`unknown: ${error.message}`)
    throw error
  }
}, { connection, concurrency: +(env.CONCURRENCY ?? 20) })
worker.on('failed', (job, error) => {
  console.error(job?.data.to, `attempt ${job?.attemptsMade}:`, error.message)
  if (job?.finishedOn) started.delete(job.id)
})
worker.on('completed', job => started.delete(job.id))
worker.on('error', error => console.error(error.message))

// metrics is a page for Prometheus.
async function metrics() {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')
  const oldest = started.size ? (Date.now() - started.values().next().value) / 1000 : 0
  return [
    ...Object.entries(counts).map(([state, n]) => `sender_jobs{state="${state}"} ${n}`),
    `sender_oldest_job_seconds ${oldest}`, `sender_concurrency ${worker.concurrency}`, '',
  ].join('\n')
}

async function take(request) {
  let raw = ''
  for await (const chunk of request) raw += chunk
  const { to, text } = JSON.parse(raw)
  const job = await queue.add('send', { to, text }, {
    attempts: 5, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true, removeOnFail: 1000,
  })
  started.set(job.id, Date.now())
}

const server = http.createServer(async (request, response) => {
  const answer = (status, body = '') => response.writeHead(status).end(body)
  try {
    switch (`${request.method} ${request.url}`) {
      case 'POST /send': await take(request); return answer(202, '{"queued":true}')
      case 'GET /metrics': return answer(200, await metrics())
      case 'GET /healthz': await queue.getJobCounts(); return answer(200)
      default: return answer(404)
    }
  } catch (error) {
    answer(error instanceof SyntaxError ? 400 : 500, error.message)
  }
})
server.listen(+env.PORT, '127.0.0.1', () => console.log(`listening on ${env.PORT}`))
process.on('SIGTERM', async () => { server.close(); await worker.close(); process.exit(0) })
