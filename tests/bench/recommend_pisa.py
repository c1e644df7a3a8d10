"""PISA's answer to one event in Python and PyTorch: the arithmetic that bench-recommend-pisa is compared with.

usage: recommend_pisa.py EVENTS     prints microseconds of processor time at the median (100 000 items, 64 features, 10 sessions
of 10 items, one block of two heads, a history of 1500 plays of 800 items)
"""
import sys
import time

import torch

torch.set_num_threads(1)
torch.manual_seed(1)

ITEMS, D, L, SLOTS, HEADS = 100_000, 64, 10, 10, 2
items = torch.randn(ITEMS + 1, D) / 8
positions = torch.randn(L, D) * 0.02
query, key, value, inner, outer = (torch.nn.Linear(D, D) for _ in range(5))
norm_in, norm_out = torch.nn.LayerNorm(D, eps=1e-6), torch.nn.LayerNorm(D, eps=1e-6)
fusion = torch.nn.Linear(2 * D, 2)
weights = torch.full((3,), 0.1)
causal = torch.ones(L, L, dtype=torch.bool).triu(1)


def normalised(x):
    return x / x.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def answer(sessions, spread, play_items, play_times, now):
    strength = torch.zeros(ITEMS + 1).index_add_(0, play_items, (now - play_times).rsqrt())
    base_all = strength / strength.sum()
    m = items[sessions]
    before = torch.cat([sessions[:1], sessions[:-1]])
    previous = items[before]
    match = (m * (previous.sum(1, keepdim=True) - previous)).sum(-1)
    parts = torch.stack([base_all[sessions], spread, match], -1).relu() + 1e-8
    a = (parts * weights).sum(-1).sqrt()
    a = a / a.sum(-1, keepdim=True)
    s = (a.unsqueeze(-1) * m).sum(1)
    x = s * D**0.5 + positions
    q = norm_in(x)
    split = lambda y: y.view(L, HEADS, D // HEADS).transpose(0, 1)
    scores = split(query(q)) @ split(key(x)).transpose(1, 2) / (D // HEADS) ** 0.5
    attended = scores.masked_fill(causal, -1e9).softmax(-1) @ split(value(x))
    y = norm_out(attended.transpose(0, 1).reshape(L, D) + q)
    st = normalised(outer(inner(y).relu()) + y)[-1]
    top = base_all.topk(20)
    lt = normalised((top.values.unsqueeze(-1) * items[top.indices]).sum(0))
    g = fusion(torch.cat([lt, st])).softmax(-1)
    u = normalised(g[0] * lt + g[1] * st + s[-1]) + 0.4 * lt
    best = (items @ u).topk(10)
    return best.indices.tolist(), best.values.tolist()


def main():
    events = int(sys.argv[1])
    times = []
    with torch.inference_mode():
        play_items = torch.randint(1, 801, (1500,)) * 100
        play_times = torch.arange(1500, dtype=torch.float32) * 5000
        for i in range(events + 5):
            sessions = torch.randint(1, 801, (L, SLOTS)) * 100
            spread = torch.rand(L, SLOTS)
            start = time.process_time()
            answer(sessions, spread, play_items, play_times, 1500 * 5000.0 + 200 * i)
            times.append(time.process_time() - start)
    print("%.2f" % (1e6 * sorted(times[5:])[events // 2]))


main()
