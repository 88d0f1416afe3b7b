// OpenAI's own client against the simulator: plain, streamed, with tools, refused.
// SPDX-License-Identifier: MIT
import OpenAI from 'openai';
import { assert, check, checkCall, collect, done, key, rejectsMidway, text, url } from './check.mjs';

const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const ask = { model: 'm', messages: [{ role: 'user', content: text }] };
const tools = [{
    type: 'function',
    function: { name: 'look_up', parameters: { type: 'object', properties: { text: { type: 'string' } } } },
}];

await check('openai: plain', async () => {
    const reply = await client.chat.completions.create(ask);
    assert.equal(reply.choices[0].message.content, text);
    assert.equal(reply.choices[0].finish_reason, 'stop');
    assert.ok(reply.usage.total_tokens > 0);
});

await check('openai: streamed', async () => {
    const stream = await client.chat.completions.create({
        ...ask, stream: true, stream_options: { include_usage: true } });
    let usage;
    const whole = await collect(stream, (chunk) => {
        usage = chunk.usage ?? usage;
        return chunk.choices[0]?.delta?.content;
    });
    assert.equal(whole, text);
    assert.ok(usage.total_tokens > 0);
});

await check('openai: the helper that puts a stream together', async () => {
    const reply = await client.chat.completions.stream({ ...ask, tools }).finalChatCompletion();
    const call = reply.choices[0].message.tool_calls[0].function;
    checkCall({ name: call.name, arguments: JSON.parse(call.arguments) }, 'look_up');
});

await check('openai: a tool is called and answered', async () => {
    const reply = await client.chat.completions.create({ ...ask, tools });
    const message = reply.choices[0].message, call = message.tool_calls[0];
    assert.equal(reply.choices[0].finish_reason, 'tool_calls');
    checkCall({ name: call.function.name, arguments: JSON.parse(call.function.arguments) }, 'look_up');
    const next = await client.chat.completions.create({
        ...ask, tools,
        messages: [...ask.messages, message, { role: 'tool', tool_call_id: call.id, content: 'found' }],
    });
    assert.equal(next.choices[0].message.content, text);
});

await check('openai: a key that is not known', async () => {
    const stranger = new OpenAI({ apiKey: 'sk-nobody', baseURL: `${url}/v1`, maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create(ask), OpenAI.AuthenticationError);
});

await check('openai: a request that makes no sense', async () => {
    await assert.rejects(client.chat.completions.create({ model: 'm', messages: [] }),
        OpenAI.BadRequestError);
});

await check('openai: a limit', async () => {
    const limited = new OpenAI({ apiKey: process.env.SIM_LIMITED_KEY, baseURL: `${process.env.SIM_LIMITED_URL}/v1`, maxRetries: 0 });
    await limited.chat.completions.create(ask);
    await assert.rejects(limited.chat.completions.create(ask), (error) => {
        assert.ok(error instanceof OpenAI.RateLimitError);
        assert.equal(error.code, 'rate_limit_exceeded');
        assert.ok(Number(error.headers.get('retry-after')) > 0);
        return true;
    });
});

await check('openai: an error in a stream', async () => {
    const broken = new OpenAI({ apiKey: key, baseURL: `${process.env.SIM_BROKEN_URL}/v1`, maxRetries: 0 });
    const stream = await broken.chat.completions.create({ ...ask, stream: true });
    await rejectsMidway(stream, (chunk) => chunk.choices[0]?.delta?.content, (error) => {
        assert.ok(error instanceof OpenAI.APIError);
        assert.equal(error.code, 'server_is_overloaded');
    });
});

for (const [dialect, base] of process.env.SIM_DIALECT_URLS.trim().split(' ').map((pair) => pair.split('=')))
    await check(`openai: a limit as ${dialect} tells it`, async () => {
        const limited = new OpenAI({ apiKey: key, baseURL: `${base}/v1`, maxRetries: 0 });
        await limited.chat.completions.create(ask);
        await assert.rejects(limited.chat.completions.create(ask), OpenAI.RateLimitError);
    });

done();
