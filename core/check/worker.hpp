/// The process that holds a plugin: loads it once, then plays each job in a child of its own, so that no job
/// sees what another has left in memory, and a crash, a hang or a flood of memory ends that child alone.
#pragma once

#include <string>
#include <vector>

namespace stream::laws {

/// Serves until the socket closes. `program`: how to start this worker anew, for plugins that start threads
/// when they are loaded and can therefore not be forked. Returns the exit code.
int serve_jobs(int socket, const std::vector<std::string>& program);

/// One job in a process that was started for it: descriptors of the job, of the reply and of the progress.
int serve_one_job(int job, int reply, int progress);

}  // namespace stream::laws
