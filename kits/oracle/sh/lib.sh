# shellcheck disable=SC2034,SC2154 # what the scripts behind this prelude read, and what stands in the one before it
# How the kit talks to an instance, behind the common prelude.
#
# $1 seconds that an answer may take  $2 the monitor's login, or empty; taken off as well

answer=$1 monitor=$2
shift 2

# sql SECONDS: what is on the standard input, as SYSDBA. Sets said and rc.
sql() {
	as_owner "$1" "$home/bin/sqlplus" -S -L / as sysdba
}

# inspect: how far the instance has come. Sets status (STARTED, MOUNTED, OPEN, …; empty when it does not say),
# role, mode, backups (data files in backup mode) and behind (those of them that are older than the control file).
inspect() {
	sql "$1" <<'SQL'
set heading off feedback off pagesize 0 linesize 2000 trimspool on tab off echo off verify off define off
select 'ferry|instance|'||instance_name||'|'||status||'|' from v$instance;
select 'ferry|database|'||name||'|'||open_mode||'|'||database_role||'|' from v$database;
select 'ferry|backup|'||count(*)||'|'||nvl(sum(case when h.checkpoint_change# < d.checkpoint_change# then 1 else 0 end),0)||'|' from v$backup b join v$datafile d on d.file# = b.file# join v$datafile_header h on h.file# = b.file# where b.status = 'ACTIVE';
exit
SQL
	status='' role='' mode='' backups='' behind=''
	while IFS='|' read -r tag what one two three _; do
		[ "$tag" = ferry ] || continue
		case $what in
		instance) status=$two ;;
		database) mode=$two role=$three ;;
		backup) backups=$one behind=$two ;;
		esac
	done <<SAID
$said
SAID
}

# places: where the directories that the instance named really lie, behind links.
places() {
	echo "@places"
	while IFS='|' read -r tag what one two three four _; do
		[ "$tag" = ferry ] || continue
		case $what in
		dest) one=$four ;;
		data | temp | redo | control | tracking | recovery) ;;
		*) continue ;;
		esac
		case $one in
		/*) printf '|%s|%s|\n' "$one" "$(readlink -f "$root$one" 2>/dev/null)" ;;
		esac
	done <<SAID
$said
SAID
}

# look: what the judge reads. The questions come in the order of what they may wait for: v$instance is memory,
# v$database and the rest are the control file. What an instance says that stops half-way is kept.
look() {
	processes "^ora_pmon_$name"
	echo "@pmon$pids"
	[ -z "$foreign" ] || echo "@foreign$foreign $program"
	[ -z "$unsure" ] || echo "@unsure$unsure"
	if [ -z "$pids" ]; then
		processes "^ora_[^_]*_$name|^oracle$name"
		echo "@left$pids"
		return 0
	fi
	sql "$answer" <<'SQL'
set heading off feedback off pagesize 0 linesize 2000 trimspool on tab off echo off verify off define off
select 'ferry|instance|'||instance_name||'|'||status||'|'||database_status||'|'||archiver||'|'||logins||'|'||nvl(log_switch_wait,'-')||'|'||shutdown_pending||'|'||version||'|'||to_char(startup_time,'YYYY-MM-DD HH24:MI:SS')||'|' from v$instance;
select 'ferry|database|'||name||'|'||open_mode||'|'||database_role||'|'||log_mode||'|'||controlfile_type||'|' from v$database;
select 'ferry|dest|'||dest_id||'|'||status||'|'||binding||'|'||destination||'|'||replace(replace(error,chr(10),' '),'|',' ')||'|' from v$archive_dest where status <> 'INACTIVE' and destination is not null;
select 'ferry|recovery|'||name||'|'||round(100*(space_used-space_reclaimable)/greatest(space_limit,1))||'|' from v$recovery_file_dest where name is not null;
select distinct 'ferry|data|'||case when instr(name,'/') > 0 then substr(name,1,instr(name,'/',-1)) else name end||'|' from v$datafile;
select distinct 'ferry|temp|'||case when instr(name,'/') > 0 then substr(name,1,instr(name,'/',-1)) else name end||'|' from v$tempfile;
select distinct 'ferry|redo|'||case when instr(member,'/') > 0 then substr(member,1,instr(member,'/',-1)) else member end||'|' from v$logfile;
select distinct 'ferry|control|'||case when instr(name,'/') > 0 then substr(name,1,instr(name,'/',-1)) else name end||'|' from v$controlfile;
select 'ferry|tracking|'||filename||'|' from v$block_change_tracking where status = 'ENABLED';
select 'ferry|pdb|'||name||'|'||open_mode||'|'||nvl(restricted,'NO')||'|' from v$pdbs where name <> 'PDB$SEED';
prompt ferry|end|
exit
SQL
	echo "@state"
	quote "$said"
	echo "@stateend $rc"
	places
	[ -n "$monitor" ] || return 0
	case $said in *'ferry|end|'*) ;; *) return 0 ;; esac
	as_owner "$answer" "$home/bin/sqlplus" -S -L "$monitor" <<'SQL'
set heading off feedback off pagesize 0
select 'ferry|login|' from dual;
exit
SQL
	echo "@login"
	quote "$said"
	echo "@loginend $rc"
}
