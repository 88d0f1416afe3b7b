// Anthropic's own client against the simulator: plain, streamed, with tools, refused.
// SPDX-License-Identifier: MIT
import Anthropic from '@anthropic-ai/sdk';
import { assert, check, checkCall, collect, done, key, rejectsMidway, text, url } from './check.mjs';

const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
const ask = { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: text }] };
const tools = [{
    name: 'look_up',
    input_schema: { type: 'object', properties: { text: { type: 'string' } } },
}];

await check('anthropic: plain', async () => {
    const reply = await client.messages.create({ ...ask, system: 'be brief' });
    assert.equal(reply.content[0].text, text);
    assert.equal(reply.stop_reason, 'end_turn');
    assert.ok(reply.usage.input_tokens > 0 && reply.usage.output_tokens > 0);
});

await check('anthropic: streamed', async () => {
    const stream = await client.messages.create({ ...ask, stream: true });
    const kinds = new Set();
    const whole = await collect(stream, (event) => {
        kinds.add(event.type);
        return event.type === 'content_block_delta' ? event.delta.text : '';
    });
    assert.equal(whole, text);
    for (const kind of ['message_start', 'content_block_start', 'content_block_stop', 'message_delta', 'message_stop'])
        assert.ok(kinds.has(kind), kind);
});

await check('anthropic: the helper that puts a stream together', async () => {
    const reply = await client.messages.stream(ask).finalMessage();
    assert.equal(reply.content[0].text, text);
    assert.equal(reply.stop_reason, 'end_turn');
    assert.ok(reply.usage.output_tokens > 1);
    const call = (await client.messages.stream({ ...ask, tools }).finalMessage()).content[0];
    checkCall({ name: call.name, arguments: call.input }, 'look_up');
});

await check('anthropic: a tool is called and answered', async () => {
    const reply = await client.messages.create({ ...ask, tools });
    const call = reply.content[0];
    assert.equal(reply.stop_reason, 'tool_use');
    assert.equal(call.type, 'tool_use');
    checkCall({ name: call.name, arguments: call.input }, 'look_up');
    const next = await client.messages.create({
        ...ask, tools,
        messages: [...ask.messages, { role: 'assistant', content: reply.content },
            { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'found' },
                { type: 'text', text: 'and?' }] }],
    });
    assert.equal(next.content[0].text, 'and?');
});

await check('anthropic: a key that is not known', async () => {
    const stranger = new Anthropic({ apiKey: 'sk-nobody', baseURL: url, maxRetries: 0 });
    await assert.rejects(stranger.messages.create(ask), (error) => {
        assert.ok(error instanceof Anthropic.AuthenticationError);
        assert.equal(error.error.error.type, 'authentication_error');
        return true;
    });
});

await check('anthropic: a request that makes no sense', async () => {
    await assert.rejects(client.messages.create({ ...ask, messages: [] }), Anthropic.BadRequestError);
});

await check('anthropic: a limit', async () => {
    const limited = new Anthropic({ apiKey: process.env.SIM_LIMITED_KEY, baseURL: process.env.SIM_LIMITED_URL, maxRetries: 0 });
    const { response } = await limited.messages.create(ask).withResponse();
    assert.equal(response.headers.get('anthropic-ratelimit-requests-limit'), '1');
    assert.ok(Date.parse(response.headers.get('anthropic-ratelimit-requests-reset')) > Date.now() - 1000);
    await assert.rejects(limited.messages.create(ask), (error) => {
        assert.ok(error instanceof Anthropic.RateLimitError);
        assert.ok(Number(error.headers.get('retry-after')) > 0);
        return true;
    });
});

await check('anthropic: an error in a stream', async () => {
    const broken = new Anthropic({ apiKey: key, baseURL: process.env.SIM_BROKEN_URL, maxRetries: 0 });
    const stream = await broken.messages.create({ ...ask, stream: true });
    await rejectsMidway(stream, (event) => event.delta?.text, (error) => {
        assert.ok(error instanceof Anthropic.APIError);
        assert.match(error.message, /overloaded_error/);
    });
});

done();
