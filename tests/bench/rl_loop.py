"""stream Q(lambda) as a straightforward loop in Python and PyTorch: the arithmetic that bench-peers compares with.

usage: rl_loop.py UPDATES     prints microseconds of processor time for an update (network 5 -> 32 -> 32 -> 2)
"""
import sys
import time

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
torch.manual_seed(1)

GAMMA, LAMBDA, ALPHA, KAPPA = 0.99, 0.8, 1.0, 2.0


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(5, 32), torch.nn.Linear(32, 32)])
        self.head = torch.nn.Linear(32, 2)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
            x = torch.nn.functional.leaky_relu(torch.nn.functional.layer_norm(x, x.shape))
        return self.head(x)


def learn(network, traces, x, action, reward, after, reset):
    with torch.no_grad():
        target = reward + GAMMA * network(after).max()
    q = network(x)[action]
    delta = (target - q).item()
    network.zero_grad()
    q.backward()
    norm = 0.0
    with torch.no_grad():
        for trace, parameter in zip(traces, network.parameters()):
            trace.mul_(GAMMA * LAMBDA).add_(parameter.grad)
            norm += trace.abs().sum().item()
        step = ALPHA / max(ALPHA * KAPPA * max(abs(delta), 1.0) * norm, 1.0)
        for trace, parameter in zip(traces, network.parameters()):
            parameter.add_(trace, alpha=step * delta)
            if reset:
                trace.zero_()


def main():
    updates = int(sys.argv[1])
    network = Network()
    traces = [torch.zeros_like(p) for p in network.parameters()]
    samples = torch.randn(1024, 5)

    def run(count):
        for t in range(count):
            learn(network, traces, samples[t % 1023], t % 2, 1.0, samples[t % 1023 + 1], t % 50 == 49)

    run(100)
    start = time.process_time()
    run(updates)
    print(1e6 * (time.process_time() - start) / updates)


main()
