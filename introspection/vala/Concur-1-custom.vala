// SPDX-FileCopyrightText: 2026 The concur-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What Vala alone has: functions that return their answer, and results of the type that
// the caller names. A type parameter can be any type that generics of Vala take: a class,
// a string, a boxed structure, int or bool as they are, int64? and double? with a question
// mark, and void.

namespace Concur {
	// Runs on a thread of the executor and answers by returning or throwing.
	[CCode (cheader_filename = "concur.h", cname = "ConcurValaWork", instance_pos = 1.9)]
	public delegate T Work<T> (Concur.Job job) throws GLib.Error;

	// The same, going on from a future that is done.
	[CCode (cheader_filename = "concur.h", cname = "ConcurValaStep", instance_pos = 2.9)]
	public delegate T Step<T> (Concur.Job job, Concur.Future input) throws GLib.Error;

	// The same, once more each time it throws; the number begins at 1.
	[CCode (cheader_filename = "concur.h", cname = "ConcurValaAttempt", instance_pos = 2.9)]
	public delegate T Attempt<T> (Concur.Job job, uint number) throws GLib.Error;

	// Takes a value of a channel, in a main context; false: it wants no more. What it throws
	// ends it, too.
	[CCode (cheader_filename = "concur.h", cname = "ConcurValaEach", instance_pos = 1.9)]
	public delegate bool Each<T> (T value) throws GLib.Error;

	// Makes an item of a list from a value of a channel; null: it is left out.
	[CCode (cheader_filename = "concur.h", cname = "ConcurValaItem", instance_pos = 1.9)]
	public delegate GLib.Object? ItemMaker<T> (T value) throws GLib.Error;

	public interface Executor : GLib.Object {
		// Runs the work there and goes on here with its result. The cancellable is for the
		// work: this ends when that has.
		[CCode (cname = "concur_vala_run", finish_name = "concur_vala_run_finish")]
		public async T run<T> (owned Concur.Work<T> work, GLib.Cancellable? cancellable = null) throws GLib.Error;

		// The same without waiting for the result.
		[CCode (cname = "concur_vala_submit")]
		public Concur.Future submit_as<T> (owned Concur.Work<T> work, GLib.Cancellable? cancellable = null);
	}

	public abstract class Future : GLib.Object {
		// Waits in the main loop. The cancellable gives up the waiting, not the work.
		[CCode (cname = "concur_vala_result", finish_name = "concur_vala_result_finish")]
		public async T result_as<T> (GLib.Cancellable? cancellable = null) throws GLib.Error;

		// Waits and blocks.
		[CCode (cname = "concur_vala_wait")]
		public T wait_as<T> (int64 timeout_us = -1) throws GLib.Error;

		// Does not wait: FutureError.PENDING if there is no result yet.
		[CCode (cname = "concur_vala_value")]
		public T value_as<T> () throws GLib.Error;

		// The results of all () or TaskGroup.close (), in order.
		[CCode (cname = "concur_vala_results", finish_name = "concur_vala_results_finish")]
		public async GLib.GenericArray<T> results_as<T> (GLib.Cancellable? cancellable = null) throws GLib.Error;

		// Goes on when this is resolved, or, the second, when it is rejected.
		[CCode (cname = "concur_vala_continue")]
		public Concur.Future continue_as<T> (owned Concur.Step<T> step, Concur.Executor? executor = null);
		[CCode (cname = "concur_vala_recover")]
		public Concur.Future recover_as<T> (owned Concur.Step<T> step, Concur.Executor? executor = null);
	}

	public class LoopThread : GLib.Object, Concur.Executor {
		// Runs the work in the loop and waits for its result here.
		[CCode (cname = "concur_vala_call")]
		public T call_as<T> (owned Concur.Work<T> work, int64 timeout_us = -1) throws GLib.Error;
	}

	public class Channel : GLib.Object {
		// The next value, or null when there will be none any more. Where T cannot be null
		// that is ChannelError.CLOSED or STOPPED.
		[CCode (cname = "concur_vala_channel_next", finish_name = "concur_vala_channel_next_finish")]
		public async T? next<T> (GLib.Cancellable? cancellable = null) throws GLib.Error;
		// The same, blocking.
		[CCode (cname = "concur_vala_channel_wait_next")]
		public T? wait_next<T> (int64 timeout_us = -1) throws GLib.Error;

		// The end is always ChannelError.CLOSED or STOPPED, and null a value like any other.
		[CCode (cname = "concur_vala_channel_receive", finish_name = "concur_vala_channel_receive_finish")]
		public async T receive_value<T> (GLib.Cancellable? cancellable = null) throws GLib.Error;
		[CCode (cname = "concur_vala_channel_receive_wait")]
		public T receive_value_wait<T> (int64 timeout_us = -1) throws GLib.Error;
		[CCode (cname = "concur_vala_channel_try_receive")]
		public T try_receive_value<T> () throws GLib.Error;

		[CCode (cname = "concur_vala_channel_send", finish_name = "concur_channel_send_finish")]
		public async void send_value<T> (owned T value, GLib.Cancellable? cancellable = null) throws GLib.Error;
		[CCode (cname = "concur_vala_channel_send_wait")]
		public void send_value_wait<T> (owned T value, int64 timeout_us = -1) throws GLib.Error;
		[CCode (cname = "concur_vala_channel_try_send")]
		public void try_send_value<T> (owned T value) throws GLib.Error;

		[CCode (cname = "concur_vala_channel_for_each")]
		public Concur.Future for_each_value<T> (owned Concur.Each<T> func, GLib.MainContext? context = null);
		[CCode (cname = "concur_vala_channel_bind_list_store")]
		public Concur.Future bind_list_store_values<T> (GLib.ListStore store, owned Concur.ItemMaker<T> factory);
	}

	public class Batch : GLib.Object {
		[CCode (cname = "concur_vala_batch_value")]
		public T value_as<T> (uint index) throws GLib.Error;
	}

	public class TaskGroup : GLib.Object {
		[CCode (cname = "concur_vala_group_run", finish_name = "concur_vala_group_run_finish")]
		public async T run<T> (owned Concur.Work<T> work) throws GLib.Error;
		[CCode (cname = "concur_vala_group_submit")]
		public Concur.Future submit_as<T> (owned Concur.Work<T> work);
	}

	public class Limiter : GLib.Object {
		[CCode (cname = "concur_vala_limiter_run", finish_name = "concur_vala_limiter_run_finish")]
		public async T run<T> (owned Concur.Work<T> work, Concur.Executor? executor = null, GLib.Cancellable? cancellable = null) throws GLib.Error;
		[CCode (cname = "concur_vala_limiter_submit")]
		public Concur.Future submit_as<T> (owned Concur.Work<T> work, Concur.Executor? executor = null, GLib.Cancellable? cancellable = null);
	}

	public class Retry : GLib.Object {
		// Each attempt is work on a thread of the executor.
		[CCode (cname = "concur_vala_retry_run", finish_name = "concur_vala_retry_run_finish")]
		public async T run_as<T> (owned Concur.Attempt<T> attempt, Concur.Executor? executor = null, GLib.Cancellable? cancellable = null) throws GLib.Error;
		[CCode (cname = "concur_vala_retry_submit")]
		public Concur.Future submit_as<T> (owned Concur.Attempt<T> attempt, Concur.Executor? executor = null, GLib.Cancellable? cancellable = null);
	}

	public class Batcher : GLib.Object {
		[CCode (cname = "concur_vala_batcher_call")]
		public Concur.Future call_value<T> (owned T argument, GLib.Cancellable? cancellable = null);
	}

	public class BatcherJob : Concur.Job {
		[CCode (cname = "concur_vala_batcher_job_argument")]
		public T argument_as<T> (uint index) throws GLib.Error;
		[CCode (cname = "concur_vala_batcher_job_answer")]
		public bool answer_as<T> (uint index, owned T value);
	}
}
